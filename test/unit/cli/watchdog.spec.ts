import { expect } from 'chai';
import { watch } from '../../../src/cli/watchdog.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { RecordedLog } from '../../fakes/recorded-log.ts';
import { RecordedNotify } from '../../fakes/recorded-notify.ts';

function watched(watchdogMs?: number) {
  const clock = new ManualClock();
  const log = new RecordedLog();
  const notify = new RecordedNotify(watchdogMs);
  const daemon = { isStuck: false, hasProgressed: () => !daemon.isStuck, summary: () => `at ${clock.now()}` };
  const stop = watch(daemon, { clock, log, notify });
  return {
    clock,
    log,
    notify,
    daemon,
    stop,
    beats: () => notify.said.filter((line) => line === 'WATCHDOG=1'),
  };
}

describe('the watchdog of a daemon', () => {
  it('is told twice in its time that the daemon gets on, and how it is', () => {
    const { clock, notify, beats } = watched(30_000);
    clock.advance(60_000);
    expect(beats()).to.have.length(5);
    expect(notify.said.slice(0, 4)).to.deep.equal([
      'WATCHDOG=1',
      'STATUS=at 0',
      'WATCHDOG=1',
      'STATUS=at 15000',
    ]);
  });

  it('is told nothing while the daemon is stuck, which is logged', () => {
    const { clock, log, daemon, beats } = watched(30_000);
    daemon.isStuck = true;
    clock.advance(30_000);
    expect(beats()).to.have.length(1);
    expect(log.named('daemon.stuck')).to.have.length(2);
    daemon.isStuck = false;
    clock.advance(15_000);
    expect(beats()).to.have.length(2);
  });

  it('is not told any more when the daemon stops', () => {
    const { clock, beats, stop } = watched(30_000);
    clock.advance(15_000);
    stop();
    clock.advance(60_000);
    expect(beats()).to.have.length(2);
    expect(clock.pending).to.deep.equal([]);
  });

  it('is not there where nobody watches', () => {
    const { clock, notify, stop } = watched();
    clock.advance(60_000);
    stop();
    expect(notify.said).to.deep.equal([]);
    expect(clock.pending).to.deep.equal([]);
  });
});
