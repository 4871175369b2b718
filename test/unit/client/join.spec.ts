import { expect } from 'chai';
import { join } from '../../../src/client/join.ts';
import { serve } from '../../../src/platform/serve.ts';
import { checkJoin } from '../../../src/security/join-check.ts';
import { tokenVerifier } from '../../../src/security/join-proof.ts';
import type { JoinOrder } from '../../../src/security/join-request.ts';
import type { JoinToken } from '../../../src/security/join-token.ts';
import type { KeyEntry } from '../../../src/security/key-index.ts';
import type { JoinAsk } from '../../../src/security/key-ring.ts';
import { type CurvePublic, curveBytes, newCurveKeys } from '../../../src/security/keys.ts';
import { isServiceManagerError, type ServiceManagerError } from '../../../src/wire/errors.ts';
import type { JoinRole, NodeName } from '../../../src/wire/fields.ts';
import { type JoinReply, JoinRequest } from '../../../src/wire/join.ts';
import { failure, failureOf } from '../../../src/wire/reply.ts';
import { type KeyOwner, keyEntryOf, keyFileOf, keyOwner } from '../../fakes/key-owners.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';

const endpoint = 'tcp://localhost:5850';
const manager = newCurveKeys();
const alice = keyOwner('operator', 'alice');
const ports = { frontend: 5_500, backend: 5_600, sink: 5_700, publisher: 5_750 };
const accepted = {
  ...({ success: 0, state: 'accepted', fingerprint: alice.fingerprint, manager: 'm1', ports } as const),
};

/** A manager's door for strangers, which replies so; without a reply it says what `checkJoin` says. */
async function doorOf(reply?: object | string, known: readonly KeyEntry[] = []) {
  const clock = new ManualClock();
  const sockets = new MemorySockets({ clock });
  sockets.authenticate(() => true);
  const pair = { publicKey: curveBytes(manager.publicKey), secretKey: curveBytes(manager.secretKey) };
  const door = await sockets.bindReply(endpoint, { security: { kind: 'server', domain: 'join', ...pair } });
  const asks: JoinAsk[] = [];
  const replyTo = (frame: Buffer): object | string => {
    const keyOf = (fingerprint: string) => known.find((entry) => entry.fingerprint === fingerprint);
    const check = { manager, nowWallMs: clock.wallMs(), address: undefined, keyOf };
    try {
      asks.push(checkJoin(JoinRequest.decode(frame), check));
      return reply ?? accepted;
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      return failureOf(error);
    }
  };
  void serve(door, ([frame = Buffer.alloc(0)]) => {
    const said = replyTo(frame);
    if (said !== 'silence') door.send([Buffer.from(typeof said === 'string' ? said : JSON.stringify(said))]);
  });
  return {
    ...{ clock, sockets, asks, door },
    join: async (owner: KeyOwner, changes: Partial<JoinOrder> = {}) => {
      const order: JoinOrder = {
        ...{ role: owner.role, name: owner.name as NodeName, keys: keyFileOf(owner) },
        ...{ manager: manager.publicKey, nowWallMs: clock.wallMs(), ...changes },
      };
      const joining = join(endpoint, order, 2_000, { sockets, clock }).catch((thrown: unknown) => thrown);
      let said: unknown;
      void joining.then((value) => {
        said = value;
      });
      while (said === undefined) await clock.advanceAsync(100);
      return said as JoinReply | ServiceManagerError;
    },
  };
}

describe('who joins', () => {
  for (const role of ['agent', 'operator', 'monitor'] as const satisfies readonly JoinRole[]) {
    it(`as ${role} proves that the keys are his, and gets the manager's reply`, async () => {
      const { join, asks, clock } = await doorOf();
      const owner = keyOwner(role, 'web1');
      expect(await join(owner)).to.deep.equal(accepted);
      expect(asks).to.deep.equal([
        { role, name: 'web1', keys: owner.keys, address: undefined, token: undefined, replaces: undefined },
      ]);
      expect(clock.pending).to.deep.equal([]);
    });
  }

  it('with a token proves that he has it, and does not say its secret', async () => {
    const { join, asks } = await doorOf();
    const token: JoinToken = {
      ...{ manager: manager.publicKey, id: '0123456789abcdef', secret: Buffer.alloc(24, 7) },
      ...{ role: 'operator', expiresAtMs: 1 },
    };
    await join(alice, { token });
    expect(asks[0]?.token?.id).to.equal(token.id);
    expect(asks[0]?.token?.isProved(tokenVerifier(token))).to.equal(true);
    const other = { ...token, secret: Buffer.alloc(24, 8) };
    expect(asks[0]?.token?.isProved(tokenVerifier(other))).to.equal(false);
  });

  for (const role of ['agent', 'operator'] as const) {
    it(`as ${role} with new keys in the place of old ones proves that both are his`, async () => {
      const [old, next] = [keyOwner(role, 'x1'), keyOwner(role, 'x1')];
      const { join, asks } = await doorOf(undefined, [keyEntryOf(old)]);
      await join(next, { replaces: keyFileOf(old) });
      expect(asks[0]).to.include({ replaces: old.fingerprint });
      // Whoever knows the public half only cannot do that.
      const thief = {
        ...keyFileOf(keyOwner(role, 'x1')),
        curve: { ...old.curve, secretKey: next.curve.secretKey },
      };
      const refused = await join(next, {
        replaces: {
          ...thief,
          sign: old.sign && next.sign && { ...old.sign, secretKey: next.sign.secretKey },
        },
      });
      expect(refused).to.include({ code: 'UNAUTHENTICATED' });
    });
  }

  it('takes no hint from a manager that is the wrong one', async () => {
    const { join, asks } = await doorOf();
    const said = await join(alice, { manager: newCurveKeys().publicKey });
    expect(said).to.include({
      code: 'MANAGER_UNREACHABLE',
      message: `${endpoint}: the server ended the handshake: most likely it has another key than the ones that are known`,
    });
    expect(asks).to.deep.equal([]);
  });

  it('asks nobody with a key of a manager that is none', async () => {
    const { join, asks } = await doorOf();
    const zeros = '0'.repeat(40) as CurvePublic;
    expect(await join(alice, { manager: zeros })).to.include({ code: 'BAD_KEY' });
    expect(asks).to.deep.equal([]);
  });
});

describe('the answer to who joins', () => {
  it('may be that he has to wait, and the next key of the manager with it', async () => {
    const reply = { ...accepted, state: 'pending', nextKey: newCurveKeys().publicKey };
    const { join } = await doorOf(reply);
    expect(await join(alice)).to.deep.equal(reply);
  });

  for (const code of ['BAD_TOKEN', 'NAME_TAKEN', 'KEY_REFUSED', 'TOO_BUSY', 'REQUEST_EXPIRED'] as const) {
    it(`may be a refusal with ${code}, which stays that`, async () => {
      const { join } = await doorOf(failure(code, 'not you'));
      expect(await join(alice)).to.include({
        code,
        message: `${endpoint} refused: not you (${code})`,
      });
    });
  }

  it('may be a refusal without a code that we know', async () => {
    for (const reply of [
      { success: -1, msg: 'no' },
      { success: -1, msg: 'no', code: 'NO_SUCH' },
    ])
      expect(await (await doorOf(reply)).join(alice)).to.include({ code: 'REFUSED' });
  });

  it('may be none', async () => {
    for (const reply of ['nonsense', {}, { ...accepted, ports: undefined }, { ...accepted, state: 'maybe' }])
      expect(await (await doorOf(reply)).join(alice)).to.include({ code: 'INVALID_REPLY' });
  });

  it('may not come', async () => {
    const { join, clock } = await doorOf('silence');
    expect(await join(alice)).to.include({
      code: 'MANAGER_UNREACHABLE',
      message: `${endpoint} did not answer within 2 s`,
    });
    expect(clock.pending).to.deep.equal([]);
  });

  it('may be a door that is shut', async () => {
    const { join, sockets } = await doorOf();
    sockets.authenticate(() => false);
    expect(await join(alice)).to.include({
      code: 'MANAGER_UNREACHABLE',
      message: `${endpoint}: the server does not know this key (any more), or has no room for another connection`,
    });
  });
});
