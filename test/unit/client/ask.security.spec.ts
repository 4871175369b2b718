import { expect } from 'chai';
import { type AskOptions, ask } from '../../../src/client/ask.ts';
import { Connections } from '../../../src/client/connections.ts';
import { Identity } from '../../../src/client/identity.ts';
import { newCurveKeys } from '../../../src/security/keys.ts';
import type { KnownManager } from '../../../src/security/known-manager.ts';
import { isServiceManagerError } from '../../../src/wire/errors.ts';
import { Accepted } from '../../../src/wire/reply.ts';
import { keyFileOf, keyOwner } from '../../fakes/key-owners.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';
import { SecuredFrontend } from '../../fakes/secured-frontend.ts';
import { idOf } from '../../fakes/stored-requests.ts';

/** Alice, and managers that she has joined. */
async function joined(count = 2) {
  const clock = new ManualClock();
  const sockets = new MemorySockets({ clock });
  const managers: SecuredFrontend[] = [];
  for (let number = 1; number <= count; number += 1)
    managers.push(await new SecuredFrontend(sockets, clock, number).start());
  const [m1, m2 = m1] = managers;
  if (m1 === undefined || m2 === undefined) throw new Error('no manager');
  const kept: KnownManager[] = [];
  const identity = new Identity({
    keys: keyFileOf(keyOwner('operator', 'alice')),
    managers: managers.map(({ known }) => known),
    keep: (manager) => kept.push(manager),
  });
  const connections = new Connections(sockets, clock, identity);
  const endpoints = managers.map(({ endpoint }) => endpoint);
  return {
    ...{ clock, sockets, m1, m2, kept },
    /** Who answered or why nobody did, and after how many milliseconds. */
    ask: async (changes: Partial<AskOptions> = {}) => {
      const beganMs = clock.now();
      const question = {
        frame: () => Buffer.from('{}'),
        reply: Accepted,
        deadlineMs: Infinity,
        signal: undefined,
      };
      let ended: { who: string; why: string; tookMs: number } | undefined;
      const end = (who: string, why: string) => {
        ended = { who, why, tookMs: clock.now() - beganMs };
      };
      ask(
        question,
        { endpoints, timeoutMs: 1_000, retries: 3, ...changes },
        { connections, clock, identity, newId: () => idOf(1) },
      ).then(
        ({ endpoint }) => end(endpoint, ''),
        (error: unknown) => {
          if (!isServiceManagerError(error)) throw error;
          end(error.code, error.message);
        },
      );
      while (ended === undefined) await clock.advanceAsync(50);
      return ended;
    },
  };
}

const cutOff = 'the server ended the handshake: most likely it has another key than the ones that are known';
const refused = 'the server does not know this key (any more), or has no room for another connection';

describe('who asks a manager that does not let him in', () => {
  it('is told so at once, and does not ask again', async () => {
    const { ask, m1 } = await joined(1);
    m1.isOpen = false;
    expect(await ask()).to.deep.equal({
      who: 'UNAUTHENTICATED',
      why: `${m1.endpoint} does not let operator alice in: ${refused}`,
      tookMs: 0,
    });
    expect(m1.asked).to.deep.equal([]);
  });

  it('is told so at each question, and let in when it has changed its mind', async () => {
    const { ask, m1 } = await joined(1);
    m1.isOpen = false;
    await ask();
    expect((await ask()).who).to.equal('UNAUTHENTICATED');
    m1.isOpen = true;
    expect(await ask()).to.deep.equal({ who: m1.endpoint, why: '', tookMs: 0 });
  });

  it('is served by another one that does', async () => {
    const { ask, m1, m2 } = await joined();
    m1.isOpen = false;
    expect(await ask()).to.deep.equal({ who: m2.endpoint, why: '', tookMs: 0 });
  });

  it('is told so in the end when no other one answers, and waits for that one alone', async () => {
    const { ask, m1, m2 } = await joined();
    m1.isOpen = false;
    m2.reply = undefined;
    const { who, why, tookMs } = await ask();
    expect([who, tookMs]).to.deep.equal(['UNAUTHENTICATED', 3_000]);
    expect(why).to.match(/^tcp:\/\/localhost:5501 does not let operator alice in/);
    expect(m2.asked).to.have.length(3);
  });
});

describe('who asks somebody that is not the manager he knows', () => {
  it('says nothing to him, and is told why nobody answers', async () => {
    const { ask, m1 } = await joined(1);
    await m1.reopen(newCurveKeys());
    expect(await ask({ retries: 1 })).to.deep.equal({
      who: 'MANAGER_UNREACHABLE',
      why: `no manager answered at ${m1.endpoint}; ${m1.endpoint}: ${cutOff}`,
      tookMs: 1_000,
    });
    expect(m1.asked).to.deep.equal([]);
  });

  it('says nothing to one without security, and is told why', async () => {
    const { ask, sockets } = await joined(1);
    await sockets.bindRouter('tcp://localhost:5599');
    const { who, why } = await ask({ endpoints: ['tcp://localhost:5599'], retries: 1 });
    expect([who, why]).to.deep.equal([
      'MANAGER_UNREACHABLE',
      'no manager answered at tcp://localhost:5599; tcp://localhost:5599: the server does not speak CURVE',
    ]);
  });

  it('is told why of each', async () => {
    const { ask, m1, m2 } = await joined();
    for (const manager of [m1, m2]) await manager.reopen(newCurveKeys());
    const { why } = await ask({ retries: 1 });
    expect(why).to.equal(
      `no manager answered at ${m1.endpoint}, ${m2.endpoint}; ${m1.endpoint}: ${cutOff}; ${m2.endpoint}: ${cutOff}`,
    );
  });

  it('is told nothing of keys where it is not about keys', async () => {
    const { ask, m1 } = await joined(1);
    m1.reply = undefined;
    expect((await ask({ retries: 1 })).why).to.equal(`no manager answered at ${m1.endpoint}`);
  });
});

describe('a manager that speaks of its next key', () => {
  it('is known by it also when it refuses what was asked', async () => {
    const { ask, m1, kept } = await joined(1);
    const { known } = m1;
    m1.nextKeys = newCurveKeys();
    m1.reply = { success: -1, msg: 'no', code: 'NO_NODE' };
    expect((await ask()).who).to.equal('NO_NODE');
    expect(kept).to.deep.equal([{ ...known, nextKey: m1.nextKeys.publicKey }]);
  });

  it('is known by it alone, and not the others', async () => {
    const { ask, m1, m2, kept } = await joined();
    const { known } = m2;
    m1.isOpen = false;
    m2.nextKeys = newCurveKeys();
    await ask();
    expect(kept).to.deep.equal([{ ...known, nextKey: m2.nextKeys.publicKey }]);
  });
});

describe('who has joined nobody', () => {
  it('asks nobody, and is told so', async () => {
    const clock = new ManualClock();
    const sockets = new MemorySockets({ clock });
    const keys = keyFileOf(keyOwner('operator', 'alice'));
    const identity = new Identity({ keys, managers: [], keep: () => {} });
    const connections = new Connections(sockets, clock, identity);
    const error: unknown = await ask(
      { frame: () => Buffer.from('{}'), reply: Accepted, deadlineMs: 1_000, signal: undefined },
      { endpoints: ['tcp://localhost:5501'], timeoutMs: 1_000, retries: 1 },
      { connections, clock, identity, newId: () => idOf(1) },
    ).catch((thrown: unknown) => thrown);
    expect(error).to.include({ code: 'BAD_CONFIG', message: 'operator alice has joined no manager yet' });
  });
});
