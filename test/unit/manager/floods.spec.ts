import { expect } from 'chai';
import { Floods } from '../../../src/manager/floods.ts';
import { Auditor } from '../../../src/store/auditor.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { RecordedAudit } from '../../fakes/recorded-audit.ts';
import { RecordedLog } from '../../fakes/recorded-log.ts';

function flooded() {
  const clock = new ManualClock();
  const audit = new RecordedAudit();
  const log = new RecordedLog();
  const reopened: string[] = [];
  let end = (): void => {};
  const isEnded = new Promise<void>((resolve) => {
    end = resolve;
  });
  const floods = new Floods({
    ...{ clock, log, auditor: new Auditor(audit, log, clock) },
    reopen: async (door) => {
      reopened.push(door);
      await isEnded;
    },
  });
  const refuse = (door: 'backend' | 'publisher', mebibytes: number) => {
    for (let kibibytes = 0; kibibytes < mebibytes * 1_024; kibibytes += 1) floods.topicRefused(door, 1_024);
  };
  const ended = async () => {
    end();
    await new Promise(setImmediate);
  };
  return { clock, audit, log, reopened, floods, refuse, ended };
}

describe('a flood of topics', () => {
  it('ends the connections of its door when libzmq keeps four MiB of them', () => {
    const { reopened, refuse, floods } = flooded();
    refuse('backend', 3);
    refuse('publisher', 3);
    expect(reopened).to.deep.equal([]);
    refuse('backend', 1);
    expect(reopened).to.deep.equal(['backend']);
    floods.topicRefused('publisher', 1_024 * 1_024 - 1);
    expect(reopened).to.deep.equal(['backend']);
    floods.topicRefused('publisher', 1);
    expect(reopened).to.deep.equal(['backend', 'publisher']);
  });

  it('is not counted while they end, and then from the beginning', async () => {
    const { reopened, refuse, ended } = flooded();
    refuse('backend', 100);
    expect(reopened).to.deep.equal(['backend']);
    await ended();
    refuse('backend', 3);
    expect(reopened).to.deep.equal(['backend']);
    refuse('backend', 1);
    expect(reopened).to.deep.equal(['backend', 'backend']);
  });

  it('is said and written down', () => {
    const { audit, log, refuse } = flooded();
    refuse('backend', 4);
    const said = { door: 'backend', reason: 'too many topics are subscribed to' };
    expect(audit.named('door.flooded')).to.deep.equal([said]);
    expect(log.named('door.flooded')).to.have.lengthOf(1);
  });
});

describe('strangers who stay', () => {
  it('have to go ten seconds after somebody was refused for them, and not before', () => {
    const { clock, reopened, floods } = flooded();
    clock.advance(60_000);
    floods.tick();
    floods.strangerRefused();
    clock.advance(9_999);
    floods.strangerRefused();
    floods.tick();
    expect(reopened).to.deep.equal([]);
    clock.advance(1);
    floods.tick();
    floods.tick();
    expect(reopened).to.deep.equal(['join']);
  });
});
