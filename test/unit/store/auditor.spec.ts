import { expect } from 'chai';
import { Auditor } from '../../../src/store/auditor.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { RecordedAudit } from '../../fakes/recorded-audit.ts';
import { RecordedLog } from '../../fakes/recorded-log.ts';

describe('Auditor', () => {
  let clock: ManualClock;
  let audit: RecordedAudit;
  let log: RecordedLog;
  let auditor: Auditor;

  beforeEach(() => {
    clock = new ManualClock();
    audit = new RecordedAudit();
    log = new RecordedLog();
    auditor = new Auditor(audit, log, clock);
  });

  it('goes on when an event cannot be written, but says and counts it', () => {
    audit.isFailing = true;
    auditor.event('key.revoked', { name: 'web1' });
    expect(auditor.lost).to.equal(1);
    expect(log.named('audit.failed')).to.have.lengthOf(1);
  });

  it('does not hide a bug of ours', () => {
    audit.write = () => {
      throw new TypeError('a bug');
    };
    expect(() => auditor.event('agent.started', {})).to.throw(TypeError);
  });

  it('shows how far it is, and has that noted', () => {
    auditor.event('agent.started', {});
    auditor.saveHead();
    expect([auditor.head, audit.savedHeads]).to.deep.equal([audit.head, [1]]);
  });

  it('goes on where that cannot be noted, and says so', () => {
    audit.isFailing = true;
    auditor.saveHead();
    expect([auditor.lost, log.named('audit.failed').length]).to.deep.equal([0, 1]);
  });

  it('loses nothing where nothing is written down, and has no head', () => {
    const none = new Auditor(undefined, log, clock);
    none.event('agent.started', {});
    none.saveHead();
    expect([none.lost, none.head]).to.deep.equal([0, undefined]);
  });

  it('throws where something must not happen unless it is written', () => {
    audit.isFailing = true;
    expect(() => auditor.must('request.accepted', {}))
      .to.throw()
      .with.property('code', 'STORE_UNUSABLE');
  });

  it('lets strangers write some hundred lines at once and then one a second, and says how many were left out', () => {
    for (let count = 0; count < 10_000; count += 1) auditor.strange('handshake.refused', { count });
    expect(audit.events).to.have.lengthOf(500);
    clock.advance(999);
    auditor.strange('handshake.refused', {});
    expect(audit.events).to.have.lengthOf(500);
    clock.advance(1);
    auditor.strange('handshake.refused', {});
    auditor.strange('handshake.refused', {});
    expect(audit.events).to.have.lengthOf(501);
    expect(audit.events.at(-1)).to.deep.equal(['handshake.refused', { leftOut: 9_501 }]);
    clock.advance(2_000);
    auditor.strange('handshake.refused', {});
    auditor.strange('handshake.refused', {});
    expect(audit.events.slice(-2).map(([, fields]) => fields)).to.deep.equal([{ leftOut: 1 }, {}]);
  });

  it('writes down what matters during a flood by strangers, and what they do of another kind', () => {
    for (let count = 0; count < 10_000; count += 1) auditor.strange('handshake.refused', {});
    auditor.event('key.revoked', { name: 'web1' });
    auditor.strange('key.refused', { name: 'web1' });
    expect(audit.names.slice(-2)).to.deep.equal(['key.revoked', 'key.refused']);
  });
});
