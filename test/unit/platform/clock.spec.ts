import { expect } from 'chai';
import { sleep } from '../../../src/platform/clock.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';

describe('sleep', () => {
  let clock: ManualClock;
  let isAwake: boolean;
  const start = (delayMs: number, signal?: AbortSignal) =>
    sleep(clock, delayMs, signal).then(() => {
      isAwake = true;
    });

  beforeEach(() => {
    clock = new ManualClock();
    isAwake = false;
  });

  it('lasts as long as it is told to', async () => {
    void start(100);
    await clock.advanceAsync(99);
    expect(isAwake).to.equal(false);
    await clock.advanceAsync(1);
    expect(isAwake).to.equal(true);
  });

  it('ends at once when its signal is aborted, and leaves no timer behind', async () => {
    const controller = new AbortController();
    const asleep = start(100, controller.signal);
    controller.abort();
    await asleep;
    expect(clock.now()).to.equal(0);
    expect(clock.pending).to.deep.equal([]);
  });

  it('does not begin when its signal was aborted before', async () => {
    await start(100, AbortSignal.abort());
    expect(clock.pending).to.deep.equal([]);
  });

  it('lets go of its signal when it ends by itself', async () => {
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    const asleep = start(100, signal);
    expect(listeners).to.equal(1);
    clock.advance(100);
    await asleep;
    expect(listeners).to.equal(0);
  });
});
