import { expect } from 'chai';
import { newTally } from '../../../src/manager/counters.ts';
import type { Gatehouse } from '../../../src/manager/gatehouse.ts';
import { managementHandlers } from '../../../src/manager/management.ts';
import { parsePolicy } from '../../../src/security/policy-parser.ts';
import { Auditor } from '../../../src/store/auditor.ts';
import { AuditHeadInfo, PolicyVerdict } from '../../../src/wire/admin.ts';
import type { Topic } from '../../../src/wire/fields.ts';
import { answerManagement, ManagementReply } from '../../../src/wire/management.ts';
import { version } from '../../../src/wire/version.ts';
import { TestGate } from '../../fakes/gatehouses.ts';
import { keyEntryOf, keyOwner } from '../../fakes/key-owners.ts';
import { helloOf, ManagerDesks } from '../../fakes/manager-desks.ts';
import { RecordedLog } from '../../fakes/recorded-log.ts';
import { refusalOf } from '../security/refusal.ts';

const config = {
  frontendEndpoint: 'tcp://*:5500',
  backendEndpoint: 'tcp://*:5600',
  sinkEndpoint: 'tcp://*:5700',
  mgmtEndpoint: 'tcp://127.0.0.1:5800',
  publisherEndpoint: 'tcp://*:*',
};
const counters = {
  ...newTally(),
  ...{ requestsEnded: 1, openRequests: 2, agents: 3, publicationsUnclaimed: 4, framesRejected: 5 },
  ...{ messagesDropped: 6, handshakesRefused: 7, joinsRefused: 8, auditEventsLost: 9 },
};

async function open(gate: Gatehouse | undefined, auditor?: Auditor) {
  const desks = await ManagerDesks.open();
  const { audit, log, clock } = desks;
  let stops = 0;
  const handlers = managementHandlers({
    ...{ config, gate, presence: desks.presence, auditor: auditor ?? new Auditor(audit, log, clock) },
    host: {
      ...{ hostname: 'manager1', system: 'Linux', release: '6.1', version: '#1 SMP', machine: 'x86_64' },
      osRelease: {},
    },
    ...{ pid: 4_711, publisherPort: () => 49_152, uptimeMs: () => 1_234.5, counters: () => counters },
    stop: () => {
      stops += 1;
    },
  });
  const run = (cmd: string, args?: unknown) => {
    const handler = handlers[cmd];
    if (handler === undefined) throw new Error(`no command ${cmd}`);
    // As it would arrive at whoever asked.
    return ManagementReply.parse(JSON.parse(JSON.stringify(handler(args))));
  };
  return { desks, handlers, run, stops: () => stops };
}

const shown = {
  status: 'running',
  uname: ['Linux', 'manager1', '6.1', '#1 SMP', 'x86_64', ''],
  frontend_endpoint: 'tcp://*:5500',
  backend_endpoint: 'tcp://*:5600',
  sink_endpoint: 'tcp://*:5700',
  mgmt_endpoint: 'tcp://127.0.0.1:5800',
  publisher_endpoint: 'tcp://*:*',
  result_publisher_port: 49_152,
  ...{ version, pid: 4_711, uptimeMs: 1_235, counters },
};

describe('the status of a manager', () => {
  it('is that of 2014, with version, uptime and counters, and says that there is no access control', async () => {
    const { run } = await open(undefined);
    const { msg, result } = run('manager.status');
    expect(msg).to.equal('Service Manager Status');
    expect(result).to.deep.equal({
      ...{ ...shown, security: 'none' },
      warning: 'there is no access control: whoever reaches these ports may use them',
    });
  });

  it('says by what it is known and how many it knows, where there is security', async () => {
    const test = new TestGate([keyOwner('agent', 'web1'), keyOwner('operator', 'alice')]);
    const states = ['pending', 'revoked', 'rejected', 'retiring'] as const;
    test.gate.ring.restore(
      states.map((state) => keyEntryOf(keyOwner('agent', `x-${state}`), { state })),
      [],
    );
    const { run } = await open(test.gate);
    expect(run('manager.status').result).to.deep.equal({
      ...{ ...shown, security: 'curve', fingerprint: test.ownFingerprint },
      keys: { accepted: 2, pending: 1, revoked: 1 },
    });
  });
});

describe('a manager that is asked to stop', () => {
  it('says so, audits it and stops', async () => {
    const { run, stops, desks } = await open(undefined);
    expect(run('manager.shutdown').msg).to.equal('Service Manager is shutting down');
    expect([stops(), desks.audit.events]).to.deep.equal([1, [['manager.shutdown', {}]]]);
  });

  it('stops also when that cannot be audited', async () => {
    const { run, stops, desks } = await open(undefined);
    desks.audit.isFailing = true;
    run('manager.shutdown');
    expect(stops()).to.equal(1);
  });
});

describe('the head of the audit log', () => {
  it('is told, so that it can be kept elsewhere', async () => {
    const { run, desks } = await open(undefined);
    desks.audit.events.push(['key.revoked', {}], ['key.removed', {}]);
    const { result } = run('manager.audit.head');
    expect(AuditHeadInfo.parse(result)).to.deep.equal({ sequence: 2, hash: 'a'.repeat(64) });
  });

  it('is none where nothing is audited', async () => {
    const test = new TestGate();
    const { run } = await open(undefined, new Auditor(undefined, new RecordedLog(), test.clock));
    const { code, message } = refusalOf(() => run('manager.audit.head'));
    expect([code, message]).to.deep.equal(['BAD_CONFIG', 'this manager keeps no audit log (audit = no)']);
  });
});

describe('the commands of a manager', () => {
  it('are about itself alone where there is no security: there are no keys and no rules', async () => {
    const { handlers } = await open(undefined);
    expect(Object.keys(handlers)).to.deep.equal(['manager.status', 'manager.shutdown', 'manager.audit.head']);
    const frame = Buffer.from(JSON.stringify({ cmd: 'manager.keys.list' }));
    expect(answerManagement([frame], handlers).reply).to.include({ code: 'UNKNOWN_COMMAND' });
  });

  it('answer what they refuse with a code', async () => {
    const { handlers } = await open(new TestGate().gate);
    const refused = (cmd: string, args: unknown) => {
      const { refusal } = answerManagement([Buffer.from(JSON.stringify({ cmd, args }))], handlers);
      return refusal?.code;
    };
    expect(refused('manager.keys.accept', { fingerprint: 'SHA256:12345678' })).to.equal('UNKNOWN_KEY');
    expect(refused('manager.keys.accept', 'all of them')).to.equal('INVALID_MESSAGE');
    expect(refused('manager.tokens.create', { role: 'owner' })).to.equal('INVALID_MESSAGE');
    expect(refused('manager.policy.test', {})).to.equal('INVALID_MESSAGE');
  });
});

describe('a test of the policy', () => {
  const question = { role: 'operator', name: 'alice', action: 'stop', service: 'sshd', target: 'any' };

  async function asked(rules: string[], changes: object = {}) {
    const test = new TestGate();
    test.gate.policy.replace(parsePolicy(rules.join('\n'), { fileName: 'policy', checkTarget: () => {} }));
    const at = await open(test.gate);
    at.desks.join('web1', 'db1');
    const hello = helloOf('web2', { topics: ['any', 'web2', 'role:web'] as Topic[] });
    at.desks.presence.message({ type: 'hello', hello });
    return PolicyVerdict.parse(at.run('manager.policy.test', { ...question, ...changes }).result).groups;
  }

  it('says of each node in the target what would be decided, and why', async () => {
    const groups = await asked(['deny stop sshd at role:web']);
    const byDefault = 'the default: allow operator * *';
    expect(groups).to.deep.equal([
      { nodes: ['web1', 'db1'], isAllowed: true, explanation: `allowed by ${byDefault}` },
      {
        ...{ nodes: ['web2'], isAllowed: false },
        explanation: `refused by line 1: deny stop sshd at role:web\nalso matches ${byDefault}`,
      },
    ]);
  });

  it('is about the nodes of an expression, too', async () => {
    const groups = await asked([], { target: 'role:web or db1' });
    expect(groups.flatMap(({ nodes }) => nodes)).to.have.members(['db1', 'web2']);
  });

  it('is about nobody where nobody is on the topic', async () => {
    expect(await asked([], { target: 'role:nobody' })).to.deep.equal([]);
  });

  it('is refused for a target that is none, and for one with unknown names', async () => {
    for (const [target, code] of [
      ['web1 and', 'BAD_TARGET'],
      ['nosuch,web1', 'UNKNOWN_NODE'],
    ])
      expect(await asked([], { target }).catch((error) => error.code)).to.equal(code);
  });

  it('sends nothing and opens nothing', async () => {
    const test = new TestGate();
    const { desks, run } = await open(test.gate);
    desks.join('web1');
    run('manager.policy.test', question);
    await desks.settle();
    expect([desks.dispatched, desks.requests.openCount, desks.audit.events]).to.deep.equal([[], 0, []]);
  });
});
