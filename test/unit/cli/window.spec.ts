import { expect } from 'chai';
import { Window } from '../../../src/cli/window.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';

function begun(startMs = 0) {
  const clock = new ManualClock(1_000);
  const window = new Window(clock, 1_000 + startMs, 5_000);
  window.start();
  const state = () => [window.ended.aborted, window.questionsEnded.aborted];
  return { clock, window, state };
}

describe('the window', () => {
  it('ends, and a moment later the questions do', () => {
    const { clock, state } = begun();
    clock.advance(4_999);
    expect(state()).to.deep.equal([false, false]);
    clock.advance(1);
    expect(state()).to.deep.equal([true, false]);
    clock.advance(150);
    expect(state()).to.deep.equal([true, true]);
  });

  it('counts from the start of the program, and leaves time for a reply', () => {
    expect(begun(-2_000).window.remainingMs).to.equal(3_000);
    expect(begun(-9_000).window.remainingMs).to.equal(50);
  });

  it('has no end once it is stopped', () => {
    const { clock, window, state } = begun();
    window.stop();
    clock.advance(60_000);
    expect([state(), clock.pending]).to.deep.equal([[false, false], []]);
  });

  it('is whole again after a pause, however long that was', async () => {
    const { clock, window, state } = begun();
    clock.advance(4_000);
    await window.pause(async () => clock.advance(60_000));
    expect([state(), window.remainingMs]).to.deep.equal([[false, false], 5_000]);
    clock.advance(5_000);
    expect(state()).to.deep.equal([true, false]);
  });

  it('goes on after a pause that failed, and does not begin by one', async () => {
    const { clock, window } = begun();
    await window.pause(() => Promise.reject(new Error())).catch(() => {});
    expect(clock.pending).to.deep.equal(['window', 'last word']);
    window.stop();
    await window.pause(async () => {});
    expect(clock.pending).to.deep.equal([]);
  });
});
