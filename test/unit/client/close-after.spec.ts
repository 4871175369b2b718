import { expect } from 'chai';
import { closeAfter } from '../../../src/client/close-after.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';

function open(delayMs: number, signal?: AbortSignal) {
  const clock = new ManualClock();
  const socket = new MemorySockets().connectDealer('tcp://localhost:5500');
  const release = closeAfter(socket, delayMs, signal, clock);
  return { clock, release, isOpen: () => socket.send([Buffer.alloc(0)]) };
}

describe('a socket', () => {
  it('is closed after the delay', () => {
    const { clock, isOpen } = open(1_000);
    clock.advance(999);
    expect(isOpen()).to.equal(true);
    clock.advance(1);
    expect(isOpen()).to.equal(false);
  });

  it('is closed at once when there is no time left', () => {
    const { clock, isOpen } = open(-5);
    clock.advance(0);
    expect(isOpen()).to.equal(false);
  });

  it('stays open when it is released', () => {
    const leaving = new AbortController();
    const { clock, release, isOpen } = open(1_000, leaving.signal);
    release();
    clock.advance(5_000);
    leaving.abort();
    expect([isOpen(), clock.pending]).to.deep.equal([true, []]);
  });

  it('is closed when the signal is aborted, also when it was before', () => {
    const leaving = new AbortController();
    const { isOpen } = open(Number.POSITIVE_INFINITY, leaving.signal);
    expect(isOpen()).to.equal(true);
    leaving.abort();
    expect(isOpen()).to.equal(false);
    expect(open(1_000, leaving.signal).isOpen()).to.equal(false);
  });

  it('stays open for ever when it may', () => {
    const { clock, isOpen } = open(Number.POSITIVE_INFINITY);
    clock.advance(1e9);
    expect([isOpen(), clock.pending]).to.deep.equal([true, []]);
  });
});
