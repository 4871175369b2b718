import { expect } from 'chai';
import type { Pass } from '../../../src/agent/gate.ts';
import { RequestAudit } from '../../../src/agent/request-audit.ts';
import { auditStart, nextLine } from '../../../src/security/audit-chain.ts';
import { Auditor } from '../../../src/store/auditor.ts';
import { RequestBody } from '../../../src/wire/request.ts';
import { keyOwner } from '../../fakes/key-owners.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { RecordedAudit } from '../../fakes/recorded-audit.ts';
import { RecordedLog } from '../../fakes/recorded-log.ts';
import { idOf } from '../../fakes/stored-requests.ts';

const alice = keyOwner('operator', 'alice');
const id = idOf(1);
const restart = RequestBody.parse({ id, cmd: 'restart', topic: 'role:web', service: 'nginx' });
const status = RequestBody.parse({ id, cmd: 'status', topic: 'role:web', service: 'nginx' });
const ofAlice: Extract<Pass, { isGood: true }> = {
  ...{ isGood: true, asker: { role: 'operator', name: 'alice' } },
  fingerprint: alice.fingerprint,
};
const ofManager: Extract<Pass, { isGood: true }> = {
  ...{ isGood: true, asker: { role: 'manager', name: 'm1' } },
  fingerprint: undefined,
};
const what = { id, action: 'restart', service: 'nginx', target: 'role:web' };

function audited() {
  const [recorded, log, clock] = [new RecordedAudit(), new RecordedLog(), new ManualClock()];
  const auditor = new Auditor(recorded, log, clock);
  return { recorded, log, clock, auditor, audit: new RequestAudit(auditor) };
}

describe('the audit of requests at an agent', () => {
  it('says who asked for what, and through whom', () => {
    const { audit, recorded } = audited();
    audit.received(restart, ofAlice, 'm1');
    audit.received(status, ofManager, 'm1');
    expect(recorded.events).to.deep.equal([
      ['request.received', { ...what, operator: 'alice', fingerprint: alice.fingerprint, manager: 'm1' }],
      ['request.received', { ...what, action: 'status', manager: 'm1' }],
    ]);
  });

  it('says a monitor is one', () => {
    const { audit, recorded } = audited();
    audit.received(status, { ...ofAlice, asker: { role: 'monitor', name: 'eyes' } }, 'm1');
    expect(recorded.events[0]?.[1]).to.include({ monitor: 'eyes' }).and.not.to.have.property('operator');
  });

  it('says whom a request was aimed at by name', () => {
    const { audit, recorded } = audited();
    const body = RequestBody.parse({ ...restart, nodes: ['web1', 'web2'] });
    audit.received(body, ofManager, 'm1');
    expect(recorded.events[0]?.[1]).to.deep.include({ target: ['web1', 'web2'] });
  });

  it('says what was refused and why, and what became of the rest', () => {
    const { audit, recorded } = audited();
    audit.refused(restart, 'POLICY_DENIED', 'refused by line 1: deny * *', 'm1');
    audit.refusedCancel(id, 'm1');
    audit.answered(id, { returncode: 0 });
    audit.answered(id, { code: undefined });
    expect(recorded.events).to.deep.equal([
      [
        'request.refused',
        { ...what, code: 'POLICY_DENIED', reason: 'refused by line 1: deny * *', manager: 'm1' },
      ],
      ['cancel.refused', { id, manager: 'm1' }],
      ['request.answered', { id, returncode: 0 }],
      ['request.answered', { id }],
    ]);
  });

  it('has lines that the log takes', () => {
    const { audit, recorded } = audited();
    audit.received(restart, ofAlice, 'm1');
    audit.refused(restart, 'NOT_MEANT', 'x'.repeat(300), 'm1');
    audit.answered(id, { returncode: 1 });
    for (const [event, fields] of recorded.events)
      expect(() => nextLine(auditStart, { timeMs: 0, event, fields }), event).not.to.throw();
  });
});

describe('a flood of what is refused', () => {
  it('takes a bounded part of the audit log, and how much is left out is said', () => {
    const { audit, recorded, clock } = audited();
    for (let count = 0; count < 2_000; count += 1) audit.refused(restart, 'UNAUTHENTICATED', 'no', 'm1');
    expect(recorded.events).to.have.length(500);
    clock.advance(1_000);
    audit.refused(restart, 'UNAUTHENTICATED', 'no', 'm1');
    expect(recorded.events.at(-1)?.[1]).to.include({ leftOut: 1_500, code: 'UNAUTHENTICATED' });
  });

  it('keeps nothing else out of it', () => {
    const { audit, recorded } = audited();
    for (let count = 0; count < 2_000; count += 1) audit.refusedCancel(id, 'm1');
    audit.refused(restart, 'UNAUTHENTICATED', 'no', 'm1');
    audit.received(restart, ofAlice, 'm1');
    expect(recorded.events.slice(500).map(([event]) => event)).to.deep.equal([
      ...['request.refused', 'request.received'],
    ]);
  });
});

describe('the audit that cannot be written', () => {
  it('keeps what changes a service from beginning', () => {
    const { audit, auditor, recorded } = audited();
    recorded.isFailing = true;
    expect(() => audit.received(restart, ofManager, 'm1'))
      .to.throw()
      .with.property('code', 'STORE_UNUSABLE');
    expect(auditor.lost).to.equal(0);
  });

  it('keeps nothing else, but counts and logs what is missing in it', () => {
    const { audit, auditor, recorded, log } = audited();
    recorded.isFailing = true;
    audit.received(status, ofManager, 'm1');
    audit.refused(restart, 'NOT_MEANT', 'no', 'm1');
    audit.refusedCancel(id, 'm1');
    audit.answered(id, { returncode: 0 });
    expect(auditor.lost).to.equal(4);
    expect(log.named('audit.failed').map(({ level, fields }) => [level, fields['event']])).to.deep.equal([
      ['error', 'request.received'],
      ['error', 'request.refused'],
      ['error', 'cancel.refused'],
      ['error', 'request.answered'],
    ]);
    recorded.isFailing = false;
    audit.answered(id, { returncode: 0 });
    expect([auditor.lost, recorded.events.length]).to.deep.equal([4, 1]);
  });
});

describe('an agent without an audit log', () => {
  it('takes everything and loses nothing', () => {
    const auditor = new Auditor(undefined, new RecordedLog(), new ManualClock());
    const audit = new RequestAudit(auditor);
    audit.received(restart, ofManager, 'm1');
    audit.answered(id, { returncode: 0 });
    expect(auditor.lost).to.equal(0);
  });
});
