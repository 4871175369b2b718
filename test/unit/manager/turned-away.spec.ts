import { expect } from 'chai';
import { TurnedAway } from '../../../src/manager/turned-away.ts';
import { Auditor } from '../../../src/store/auditor.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { RecordedAudit } from '../../fakes/recorded-audit.ts';
import { RecordedLog } from '../../fakes/recorded-log.ts';

function opened() {
  const [clock, audit, log] = [new ManualClock(), new RecordedAudit(), new RecordedLog()];
  return { clock, audit, log, turnedAway: new TurnedAway(clock, log, new Auditor(audit, log, clock)) };
}

describe('a message that is turned away', () => {
  it('is counted, logged and audited with its door, its code and why', () => {
    const { audit, log, turnedAway } = opened();
    turnedAway.add('sink', 'INVALID_MESSAGE', 'expected six frames');
    const fields = {
      door: 'sink',
      peer: '',
      code: 'INVALID_MESSAGE',
      reason: 'expected six frames',
      heldBack: 0,
    };
    expect(turnedAway.count).to.equal(1);
    expect(log.named('message.rejected')).to.have.lengthOf(1);
    expect(audit.events).to.deep.equal([['message.rejected', fields]]);
  });

  it('is written down once a minute for each peer and code, and counted each time', () => {
    const { clock, audit, turnedAway } = opened();
    for (let each = 0; each < 10; each += 1) turnedAway.add('frontend', 'INVALID_MESSAGE', 'no JSON', 'aa');
    turnedAway.add('frontend', 'INVALID_MESSAGE', 'no JSON', 'bb');
    turnedAway.add('frontend', 'UNAUTHENTICATED', 'no signature', 'aa');
    expect([turnedAway.count, audit.events.length]).to.deep.equal([12, 3]);
    clock.advance(60_000);
    turnedAway.add('frontend', 'INVALID_MESSAGE', 'no JSON', 'aa');
    expect(audit.events.at(-1)).to.have.nested.property('[1].heldBack', 9);
  });
});
