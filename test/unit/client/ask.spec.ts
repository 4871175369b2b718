import { expect } from 'chai';
import { type AskOptions, ask } from '../../../src/client/ask.ts';
import { Connections } from '../../../src/client/connections.ts';
import { serve } from '../../../src/platform/serve.ts';
import { Accepted } from '../../../src/wire/reply.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';
import { idOf } from '../../fakes/stored-requests.ts';

const uuid = '0123456789abcdef0123456789abcdef';
const good = { uuid, port: 5_750 };
const refusal = (code: string) => ({ success: -1, msg: 'no', code });

/** What a manager says to each message in turn, the last one for ever; undefined: nothing. */
type Replies = ReadonlyArray<object | string | undefined>;

/** Managers m1, m2, ... that reply so, and who was asked when. */
async function managers(...scripts: Replies[]) {
  const sockets = new MemorySockets();
  const clock = new ManualClock();
  const asked: Array<readonly [manager: number, atMs: number]> = [];
  const frames: string[][] = [];
  for (const [index, replies] of scripts.entries()) {
    const frontend = await sockets.bindRouter(`tcp://*:${5_501 + index}`);
    let count = 0;
    void serve(frontend, ([peer = Buffer.alloc(0), ...rest]) => {
      asked.push([index + 1, clock.now()]);
      frames.push(rest.map(String));
      const reply = replies[Math.min(count, replies.length - 1)];
      count += 1;
      if (reply === undefined) return;
      const text = typeof reply === 'string' ? reply : JSON.stringify(reply);
      frontend.send([peer, Buffer.alloc(0), Buffer.from(text)]);
    });
  }
  const endpoints = scripts.map((_, index) => `tcp://localhost:${5_501 + index}`);
  const connections = new Connections(sockets, clock);
  return {
    ...{ sockets, clock, asked, frames },
    ask: async (changes: Partial<AskOptions & { deadlineMs: number; signal: AbortSignal }> = {}) => {
      const { deadlineMs = 60_000, signal, ...options } = changes;
      const question = {
        frame: () => Buffer.from('{"the":"question"}'),
        reply: Accepted,
        deadlineMs,
        signal,
      };
      let ended: readonly [outcome: unknown, atMs: number] | undefined;
      ask(
        question,
        { endpoints, timeoutMs: 1_000, retries: 3, ...options },
        {
          ...{ connections, clock, identity: undefined },
          newId: () => idOf(1),
        },
      ).then(
        ({ endpoint }) => {
          ended = [endpoint, clock.now()];
        },
        (error) => {
          ended = [error.code, clock.now()];
        },
      );
      for (let steps = 0; ended === undefined && steps < 10_000; steps += 1) await clock.advanceAsync(100);
      return ended;
    },
  };
}

describe('a question', () => {
  it('is put as a REQ puts it, and its reply is given with who gave it', async () => {
    const { ask, asked, frames } = await managers([good]);
    expect(await ask()).to.deep.equal(['tcp://localhost:5501', 0]);
    expect(frames).to.deep.equal([['', '{"the":"question"}']]);
    expect(asked).to.deep.equal([[1, 0]]);
  });

  it('goes down the endpoints, and round again, until somebody replies', async () => {
    const { ask, asked } = await managers([undefined], [undefined, good]);
    expect(await ask()).to.deep.equal(['tcp://localhost:5502', 3_000]);
    expect(asked).to.deep.equal([
      [1, 0],
      [2, 1_000],
      [1, 2_000],
      [2, 3_000],
    ]);
  });

  it('is given up after each was asked as often as it may be', async () => {
    const { ask, asked } = await managers([undefined], [undefined]);
    expect(await ask({ retries: 2, timeoutMs: 300 })).to.deep.equal(['MANAGER_UNREACHABLE', 1_200]);
    expect(asked).to.have.length(4);
  });

  it('is put once when it may be retried never', async () => {
    const { ask, asked } = await managers([undefined]);
    expect(await ask({ retries: 0 })).to.deep.equal(['MANAGER_UNREACHABLE', 1_000]);
    expect(asked).to.have.length(1);
  });

  it('is given up at its deadline', async () => {
    const { ask } = await managers([undefined], [undefined]);
    expect(await ask({ deadlineMs: 1_700 })).to.deep.equal(['MANAGER_UNREACHABLE', 1_700]);
  });

  it('is not put when the deadline is over', async () => {
    const { ask, asked } = await managers([good]);
    expect(await ask({ deadlineMs: 0 })).to.deep.equal(['MANAGER_UNREACHABLE', 0]);
    expect(asked).to.deep.equal([]);
  });

  it('is given up at once when its signal is aborted', async () => {
    const { ask, clock, asked } = await managers([undefined]);
    const leaving = new AbortController();
    clock.after(250, 'leave', () => leaving.abort());
    expect(await ask({ signal: leaving.signal })).to.deep.equal(['MANAGER_UNREACHABLE', 250]);
    expect(asked).to.have.length(1);
    const now = clock.now();
    expect(await ask({ signal: leaving.signal })).to.deep.equal(['MANAGER_UNREACHABLE', now]);
    expect(asked).to.have.length(1);
  });
});

describe('a refusal', () => {
  it('is final where every manager would say the same', async () => {
    const { ask, asked } = await managers([refusal('UNKNOWN_NODE')], [good]);
    expect(await ask()).to.deep.equal(['UNKNOWN_NODE', 0]);
    expect(asked).to.have.length(1);
  });

  for (const code of ['TOO_BUSY', 'SHUTTING_DOWN', 'STORE_UNUSABLE', 'UNKNOWN_REQUEST']) {
    it(`with ${code} lets the next manager be asked`, async () => {
      const { ask } = await managers([refusal(code)], [good]);
      expect(await ask()).to.deep.equal(['tcp://localhost:5502', 0]);
    });

    it(`with ${code} is what remains when nobody says otherwise`, async () => {
      const { ask, asked } = await managers([refusal(code)], [undefined]);
      expect(await ask()).to.deep.equal([code, 3_000]);
      expect(asked).to.have.length(6);
    });
  }

  it('without a code, or with one that we do not know, is REFUSED', async () => {
    for (const reply of [{ success: -1, msg: 'no' }, refusal('NO_SUCH_CODE')]) {
      const { ask } = await managers([reply]);
      expect(await ask()).to.deep.equal(['REFUSED', 0]);
    }
  });
});

describe('a reply that is none', () => {
  for (const reply of ['nonsense', '{}', '[]', '{"uuid":7}']) {
    it(`is said to be none: ${reply}`, async () => {
      const { ask } = await managers([reply], [good]);
      expect(await ask()).to.deep.equal(['INVALID_REPLY', 0]);
    });
  }
});

describe('a manager that did not answer', () => {
  it('is asked after the others for ten seconds', async () => {
    const { ask, asked, clock } = await managers([undefined], [good]);
    await ask();
    await ask();
    expect(asked.map(([manager]) => manager)).to.deep.equal([1, 2, 2]);
    await clock.advanceAsync(10_000);
    await ask();
    expect(asked.map(([manager]) => manager)).to.deep.equal([1, 2, 2, 1, 2]);
  });

  it('is in its place again when it has answered', async () => {
    const { ask, asked } = await managers([undefined, good], [good]);
    await ask({ endpoints: ['tcp://localhost:5501'] });
    await ask();
    expect(asked.map(([manager]) => manager)).to.deep.equal([1, 1, 1]);
  });
});
