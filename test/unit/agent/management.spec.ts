import { expect } from 'chai';
import { type AgentManagementDeps, managementHandlers } from '../../../src/agent/management.ts';
import { fingerprintOf } from '../../../src/security/fingerprint.ts';
import { newCurveKeys } from '../../../src/security/keys.ts';
import { Auditor } from '../../../src/store/auditor.ts';
import { message } from '../../../src/wire/codec.ts';
import { NodeName, type Topic } from '../../../src/wire/fields.ts';
import { answerManagement, type ManagementReply } from '../../../src/wire/management.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { RecordedAudit } from '../../fakes/recorded-audit.ts';
import { RecordedLog } from '../../fakes/recorded-log.ts';

const own = newCurveKeys();
const known = (name: string) => ({
  name,
  key: newCurveKeys().publicKey,
  endpoints: { join: 'tcp://x:5850' },
});
const [m1, m2] = [known('m1'), known('m2')];
const counters = {
  requests: 1,
  tasks: 2,
  undelivered: 3,
  foreignTopics: 4,
  framesRejected: 5,
  messagesDropped: 6,
  auditEventsLost: 7,
};

function handlersOf(changes: Partial<AgentManagementDeps> = {}) {
  let stops = 0;
  const handlers = managementHandlers({
    managerEndpoints: ['tcp://m1:5600', 'tcp://m2:5600'],
    sinkEndpoints: ['tcp://m1:5700', 'tcp://m2:5700'],
    mgmtEndpoint: 'tcp://localhost:6000',
    self: {
      node: message('node', 300, NodeName).parse('web1'),
      topics: new Set(['any', 'web1'] as Topic[]),
    },
    host: {
      ...{ hostname: 'web1', system: 'Linux', release: '6.1', version: '#1 SMP', machine: 'x86_64' },
      osRelease: {},
    },
    providerName: 'systemd',
    pid: 7,
    security: () => undefined,
    auditor: new Auditor(undefined, new RecordedLog(), new ManualClock()),
    uptimeMs: () => 1_000.4,
    counters: () => counters,
    stop: () => {
      stops += 1;
    },
    ...changes,
  });
  const ask = (cmd: string) => answerManagement([Buffer.from(JSON.stringify({ cmd }))], handlers).reply;
  return { handlers, ask, stops: () => stops };
}

function resultOf(reply: object): Record<string, unknown> {
  return (reply as ManagementReply).result ?? {};
}

describe('the status of an agent', () => {
  it('says where it is, what it serves and how it is', () => {
    expect(handlersOf().ask('agent.status')).to.deep.include({
      success: 0,
      msg: 'Service Manager Agent Status',
    });
    expect(resultOf(handlersOf().ask('agent.status'))).to.deep.include({
      status: 'running',
      uname: ['Linux', 'web1', '6.1', '#1 SMP', 'x86_64', ''],
      manager_endpoint: 'tcp://m1:5600, tcp://m2:5600',
      sink_endpoint: 'tcp://m1:5700, tcp://m2:5700',
      mgmt_endpoint: 'tcp://localhost:6000',
      ...{ node: 'web1', topics: ['any', 'web1'], provider: 'systemd', uptimeMs: 1_000, counters },
    });
  });

  it('warns where there is no security', () => {
    expect(resultOf(handlersOf().ask('agent.status'))).to.include({
      security: 'none',
      warning: 'there is no access control: this agent does what it is told',
    });
  });

  it('names its own key and those of its managers, each once, as they are now', () => {
    let security = { own, managers: [[m1, m2], [m2]] };
    const { ask } = handlersOf({ security: () => security });
    const fingerprint = fingerprintOf({ curve: own.publicKey });
    const [first, second] = [m1, m2].map(({ name, key }) => `${name} ${fingerprintOf({ curve: key })}`);
    const status = resultOf(ask('agent.status'));
    expect(status).to.deep.include({ security: 'curve', fingerprint, managers: [first, second] });
    expect(status).not.to.have.property('warning');
    const next = newCurveKeys();
    security = { own: next, managers: [[m2]] };
    expect(resultOf(ask('agent.status'))).to.deep.include({
      fingerprint: fingerprintOf({ curve: next.publicKey }),
      managers: [second],
    });
  });
});

describe('the head of the audit log of an agent', () => {
  it('is told', () => {
    const log = new RecordedAudit();
    log.write('agent.started', {});
    const { ask } = handlersOf({ auditor: new Auditor(log, new RecordedLog(), new ManualClock()) });
    expect(resultOf(ask('agent.audit.head'))).to.deep.equal(log.head);
  });

  it('is none where nothing is written down', () => {
    expect(handlersOf().ask('agent.audit.head')).to.deep.equal({
      success: -1,
      code: 'BAD_CONFIG',
      msg: 'this agent keeps no audit log (audit = no)',
    });
  });
});

describe('an agent', () => {
  it('is shut down by that command, and by no other one', () => {
    const { ask, stops, handlers } = handlersOf();
    for (const cmd of ['agent.status', 'agent.audit.head', 'manager.shutdown', 'agent.stop']) ask(cmd);
    expect(stops()).to.equal(0);
    expect(ask('agent.shutdown')).to.include({ success: 0, msg: 'Service Manager Agent is shutting down' });
    expect(stops()).to.equal(1);
    expect(Object.keys(handlers)).to.deep.equal(['agent.status', 'agent.audit.head', 'agent.shutdown']);
  });
});
