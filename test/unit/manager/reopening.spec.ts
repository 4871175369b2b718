import { expect } from 'chai';
import type { Door } from '../../../src/manager/doors.ts';
import { Reopening } from '../../../src/manager/reopening.ts';
import type { ServerSecurity } from '../../../src/platform/socket-security.ts';
import type { BoundSocket } from '../../../src/platform/sockets.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import { RecordedLog } from '../../fakes/recorded-log.ts';

/** Sockets of which the test says when each has its new key. */
class SlowSockets {
  /** `sink 1`: the door, and which key it was given. */
  readonly begun: string[] = [];
  readonly log = new RecordedLog();
  readonly reopening: Reopening;
  key = 1;
  readonly #ends = new Map<Door, { resolve: () => void; reject: (error: unknown) => void }>();

  constructor(...doors: Door[]) {
    const sockets = doors.map((door) => [door, this.#socket(door)] as const);
    const securityOf = (door: Door) => ({ domain: `${door} ${this.key}` }) as ServerSecurity;
    this.reopening = new Reopening(new Map(sockets), securityOf, this.log);
  }

  get done(): unknown[] {
    return this.log.named('socket.reopened').map(({ fields }) => fields['door']);
  }

  async finish(door: Door): Promise<void> {
    this.#ends.get(door)?.resolve();
    await turn();
  }

  async fail(door: Door): Promise<void> {
    this.#ends.get(door)?.reject(new ServiceManagerError('ENDPOINT_UNUSABLE', `${door} is taken`));
    await turn();
  }

  #socket(door: Door): BoundSocket {
    const rekey = ({ domain }: ServerSecurity) => {
      this.begun.push(domain);
      return new Promise<void>((resolve, reject) => this.#ends.set(door, { resolve, reject }));
    };
    return { rekey } as Partial<BoundSocket> as BoundSocket;
  }
}

function turn(): Promise<void> {
  return new Promise(setImmediate);
}

function outcomeOf(work: Promise<void>): { now: string } {
  const outcome = { now: 'at work' };
  work.then(
    () => {
      outcome.now = 'done';
    },
    (error) => {
      outcome.now = error.message;
    },
  );
  return outcome;
}

describe('sockets that are opened anew', () => {
  it('are so one after the other, each with the key that there is when its turn has come', async () => {
    const sockets = new SlowSockets('backend', 'sink');
    const work = outcomeOf(sockets.reopening.reopen(['backend', 'sink']));
    await turn();
    expect(sockets.begun).to.deep.equal(['backend 1']);
    sockets.key = 2;
    await sockets.finish('backend');
    expect([sockets.begun, work.now]).to.deep.equal([['backend 1', 'sink 2'], 'at work']);
    await sockets.finish('sink');
    expect([sockets.done, work.now]).to.deep.equal([['backend', 'sink'], 'done']);
  });

  it('are so once more when that is asked for while they are at it', async () => {
    const sockets = new SlowSockets('backend');
    const first = outcomeOf(sockets.reopening.reopen(['backend']));
    sockets.key = 2;
    const second = outcomeOf(sockets.reopening.reopen(['backend']));
    outcomeOf(sockets.reopening.reopen(['backend']));
    await sockets.finish('backend');
    expect([sockets.begun, first.now, second.now]).to.deep.equal([
      ['backend 1', 'backend 2'],
      'at work',
      'at work',
    ]);
    await sockets.finish('backend');
    expect([sockets.begun.length, first.now, second.now]).to.deep.equal([2, 'done', 'done']);
  });

  it('are not so twice when they wait for their turn already', async () => {
    const sockets = new SlowSockets('backend', 'sink');
    outcomeOf(sockets.reopening.reopen(['backend', 'sink']));
    const second = outcomeOf(sockets.reopening.reopen(['sink']));
    await sockets.finish('backend');
    await sockets.finish('sink');
    expect([sockets.begun, second.now]).to.deep.equal([['backend 1', 'sink 1'], 'done']);
  });

  it('are so again later', async () => {
    const sockets = new SlowSockets('backend');
    outcomeOf(sockets.reopening.reopen(['backend']));
    await sockets.finish('backend');
    const again = outcomeOf(sockets.reopening.reopen(['backend']));
    await sockets.finish('backend');
    expect([sockets.begun.length, again.now]).to.deep.equal([2, 'done']);
  });

  it('are none when there is no such socket', async () => {
    const sockets = new SlowSockets('backend');
    const work = outcomeOf(sockets.reopening.reopen(['join']));
    await turn();
    expect([sockets.begun, sockets.done, work.now]).to.deep.equal([[], [], 'done']);
    outcomeOf(sockets.reopening.reopen(['backend']));
    expect(sockets.begun).to.deep.equal(['backend 1']);
  });

  it('say so to everybody who waits when one of them is lost', async () => {
    const sockets = new SlowSockets('backend', 'sink');
    const first = outcomeOf(sockets.reopening.reopen(['backend']));
    const second = outcomeOf(sockets.reopening.reopen(['sink']));
    await sockets.fail('backend');
    expect([first.now, second.now]).to.deep.equal(['backend is taken', 'backend is taken']);
    expect(sockets.done).to.deep.equal([]);
    outcomeOf(sockets.reopening.reopen([]));
    expect(sockets.begun).to.deep.equal(['backend 1', 'sink 1']);
  });
});
