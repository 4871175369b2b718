import { expect } from 'chai';
import { aimAt } from '../../../src/manager/aim.ts';
import { requestFields, senderFields } from '../../../src/manager/audit-fields.ts';
import { permissionsOf } from '../../../src/manager/intake.ts';
import { RequestAudit } from '../../../src/manager/request-audit.ts';
import type { Sender } from '../../../src/manager/signatures.ts';
import { nextLine } from '../../../src/security/audit-chain.ts';
import { parsePolicy } from '../../../src/security/policy-parser.ts';
import { Auditor } from '../../../src/store/auditor.ts';
import { keyOwner, senderOf } from '../../fakes/key-owners.ts';
import { checkedRequest, ManagerDesks } from '../../fakes/manager-desks.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { RecordedAudit } from '../../fakes/recorded-audit.ts';
import { RecordedLog } from '../../fakes/recorded-log.ts';
import { idOf } from '../../fakes/stored-requests.ts';

const id = idOf(1);
const alice = senderOf(keyOwner('operator', 'alice'));
const watch = senderOf(keyOwner('monitor', 'watch'));

async function open(...rules: string[]) {
  const desks = await ManagerDesks.open();
  desks.join('web1', 'web2', 'web3', 'db1');
  desks.policy.replace(parsePolicy(rules.join('\n'), { fileName: 'policy', checkTarget: () => {} }));
  const audit = new RecordedAudit();
  const log = new RecordedLog();
  const known = new Map([[alice.fingerprint, '10.0.0.7']]);
  const auditor = new Auditor(audit, log, new ManualClock());
  const desk = new RequestAudit(auditor, ({ fingerprint }) => known.get(fingerprint));
  const opening = (changes: object, sender?: Sender) => {
    const request = checkedRequest(id, { ...changes });
    const permissions = sender === undefined ? undefined : permissionsOf(sender, desks.policy);
    desk.opening(request.body, aimAt(request, desks.presence, permissions), sender);
    return audit.events.at(-1);
  };
  return { desks, audit, log, desk, opening };
}

describe('the opening of a request', () => {
  it('is noted with who asked from where, for what, and whom that meant at the moment', async () => {
    const { opening } = await open('deny restart nginx at db1');
    expect(opening({}, alice)).to.deep.equal([
      'request.accepted',
      {
        ...{ id, action: 'restart', service: 'nginx', target: 'any' },
        ...{ operator: 'alice', fingerprint: alice.fingerprint, address: '10.0.0.7' },
        ...{ resolved: 'db1,web[1-3]', nodes: 4, denied: 1 },
      },
    ]);
  });

  it('is noted without what is not known', async () => {
    const { opening } = await open();
    expect(opening({ cmd: 'status' }, watch)?.[1])
      .to.include({ monitor: 'watch' })
      .and.not.have.property('address');
    const [, unsigned] = opening({}) ?? [];
    expect(unsigned).to.deep.equal({
      ...{ id, action: 'restart', service: 'nginx', target: 'any' },
      ...{ resolved: 'db1,web[1-3]', nodes: 4, denied: 0 },
    });
  });

  it('is noted with the target as it was given, and all that takes away from it', async () => {
    const { opening } = await open();
    expect(opening({ topic: 'web[1-3]', exclude: 'web2', limit: '1' })?.[1]).to.include({
      ...{ target: 'web[1-3]', exclude: 'web2', limit: '1', nodes: 1 },
    });
    expect(opening({ nodes: ['web2', 'db1'] })?.[1]).to.deep.include({
      ...{ target: ['web2', 'db1'], resolved: 'db1,web2', nodes: 2 },
    });
    expect(opening({ rollout: { batch: '50%' } })?.[1]).to.include({ batch: 2 });
  });

  it('throws when it cannot be noted and would change something, and goes on when it only looks', async () => {
    const { opening, audit, log } = await open();
    audit.isFailing = true;
    expect(() => opening({}, alice)).to.throw('no room for the audit log');
    for (const cmd of ['status', 'list']) opening({ cmd }, alice);
    expect(log.named('audit.failed')).to.have.length(2);
  });

  it('fits into one line of the log however much was asked for', async () => {
    const { audit, opening } = await open();
    const topic = `web[1-3] or ${'db1 or '.repeat(5_000)}db1`;
    opening(
      { topic, exclude: `${'web2 or '.repeat(5_000)}web2`, limit: '3', rollout: { batch: '1' } },
      alice,
    );
    const [event, fields] = audit.events.at(-1) ?? ['', {}];
    const { line } = nextLine({ sequence: 0, hash: '0'.repeat(64) }, { timeMs: 1, event, fields });
    expect(line.length).to.be.below(32_768);
  });
});

describe('the end of a request', () => {
  it('is noted with how many nodes are in each outcome', async () => {
    const { desks, desk, audit } = await open('deny restart nginx at db1');
    desks.take(checkedRequest(id), alice);
    desks.answer('web1', id);
    desks.answer('web2', id, { returncode: 1 });
    const ledger = desks.requests.find(id);
    if (ledger === undefined) throw new Error('no ledger');
    desk.ended(ledger);
    expect(audit.events).to.deep.equal([
      ['request.ended', { id, outcomes: { ok: 1, failed: 1, refused: 1 }, isCancelled: false }],
    ]);
  });
});

describe('the words of the audit log', () => {
  it('say who asked only as far as that is known', () => {
    expect(senderFields(undefined)).to.deep.equal({});
    expect(senderFields(undefined, '10.0.0.1')).to.deep.equal({ address: '10.0.0.1' });
    expect(senderFields(watch)).to.deep.equal({ monitor: 'watch', fingerprint: watch.fingerprint });
  });

  it('say what was asked for, and the nodes rather than the topic where it names some', () => {
    const { body } = checkedRequest(id, { nodes: ['web1'], exclude: 'web2', limit: '1' });
    expect(requestFields(body)).to.deep.equal({
      ...{ id, action: 'restart', service: 'nginx', target: ['web1'], exclude: 'web2', limit: '1' },
    });
  });
});
