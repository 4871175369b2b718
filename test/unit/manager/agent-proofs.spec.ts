import { expect } from 'chai';
import fc from 'fast-check';
import { AgentProofs } from '../../../src/manager/agent-proofs.ts';
import { OwnKeys } from '../../../src/manager/own-keys.ts';
import { agentProofKey, sinkMac } from '../../../src/security/agent-proof.ts';
import { KeyRing } from '../../../src/security/key-ring.ts';
import { type CurvePublic, newCurveKeys } from '../../../src/security/keys.ts';
import { isServiceManagerError } from '../../../src/wire/errors.ts';
import type { NodeName } from '../../../src/wire/fields.ts';
import {
  ackFrames,
  beatFrames,
  byeFrames,
  helloFrames,
  outputFrames,
  resultFrames,
  withMac,
} from '../../../src/wire/sink.ts';
import { RecordedKeeper } from '../../fakes/gatehouses.ts';
import { type KeyOwner, keyEntryOf, keyOwner } from '../../fakes/key-owners.ts';
import { bootOf, helloOf } from '../../fakes/manager-desks.ts';
import { idOf } from '../../fakes/stored-requests.ts';
import { refusalOf } from '../security/refusal.ts';

const web1 = keyOwner('agent', 'web1');
const web2 = keyOwner('agent', 'web2');
const alice = keyOwner('operator', 'web1');

function door(owners: readonly KeyOwner[] = [web1, web2, alice]) {
  const ring = new KeyRing();
  ring.restore(
    owners.map((owner) => keyEntryOf(owner)),
    [],
  );
  const own = new OwnKeys({ current: newCurveKeys() }, new RecordedKeeper());
  return { ring, own, proofs: new AgentProofs(ring, own) };
}

type Door = ReturnType<typeof door>;

/** As the agent with these keys sends it to a manager with this key. */
function proved(frames: Buffer[], { curve }: KeyOwner, manager: CurvePublic): Buffer[] {
  const [type, uuid, node, sequence, payload] = frames;
  if (!type || !uuid || !node || !sequence || !payload) throw new Error('it is no sink message');
  return withMac(frames, sinkMac(agentProofKey(curve, manager), { type, uuid, node, sequence, payload }));
}

const result = (node: string, sequence: number) =>
  resultFrames(idOf(1), node as NodeName, sequence, Buffer.from('{"msg":"done"}'));
const hello = (node: string, letter: string, sequence: number) =>
  helloFrames(helloOf(node, { boot: bootOf(letter) }), sequence);
const beat = (node: string, letter: string, sequence: number) =>
  beatFrames(node as NodeName, bootOf(letter), sequence, 1);
const bye = (node: string, letter: string, sequence: number) =>
  byeFrames(node as NodeName, bootOf(letter), sequence);

/** `taken`, or the code with which it was refused. */
function verdict(at: Door, frames: readonly Buffer[]): string {
  try {
    at.proofs.check(frames);
    return 'taken';
  } catch (error) {
    if (!isServiceManagerError(error)) throw error;
    return error.code;
  }
}

/** What this agent says, as the manager of now takes it. */
function said(at: Door, frames: Buffer[], by = web1): string {
  return verdict(at, proved(frames, by, at.own.current.publicKey));
}

describe('a message of an agent', () => {
  it('is taken when it is made with the key of the node that it names', () => {
    const at = door();
    const piece = { node: 'web1' as NodeName, source: 'stdout' as const, index: 0, text: 'x' };
    const messages = [
      hello('web1', 'a', 1),
      beat('web1', 'a', 2),
      result('web1', 3),
      ackFrames(idOf(1), 'web1' as NodeName, 4, 'running'),
      outputFrames(idOf(1), 5, piece),
      bye('web1', 'a', 6),
    ];
    expect(messages.map((frames) => said(at, frames))).to.deep.equal(Array(6).fill('taken'));
  });

  for (const [place, name] of ['type', 'uuid', 'node', 'sequence', 'payload', 'mac'].entries())
    it(`is refused when its ${name} is another one, and counts as nothing that came before`, () => {
      const at = door();
      const good = proved(result('web1', 7), web1, at.own.current.publicKey);
      const others: Readonly<Record<string, string>> = {
        ...{ type: 'output', uuid: idOf(2), node: 'web2', sequence: '8', payload: '{}' },
        mac: 'x'.repeat(32),
      };
      const changed = good.with(place, Buffer.from(others[name] ?? ''));
      expect(verdict(at, changed)).to.equal('UNAUTHENTICATED');
      expect(verdict(at, good)).to.equal('taken');
    });

  it('is refused when one bit of it is another one, whichever it is', () => {
    const at = door();
    const good = proved(result('web1', 7), web1, at.own.current.publicKey);
    const isTaken = (place: number, byte: number, bit: number) => {
      const changed = good.map((frame) => Buffer.from(frame));
      const frame = changed[place] ?? Buffer.alloc(0);
      frame[byte % frame.length] = (frame[byte % frame.length] ?? 0) ^ (1 << bit);
      return verdict(at, changed) === 'taken';
    };
    fc.assert(
      fc.property(fc.nat(5), fc.nat(100), fc.nat(7), (place, byte, bit) => !isTaken(place, byte, bit)),
    );
    expect(verdict(at, good)).to.equal('taken');
  });

  it('is refused when it has no proof, or half of one', () => {
    const at = door();
    expect(verdict(at, result('web1', 1))).to.equal('UNAUTHENTICATED');
    const good = proved(result('web1', 1), web1, at.own.current.publicKey);
    expect(verdict(at, good.with(5, good[5]?.subarray(0, 31) ?? Buffer.alloc(0)))).to.equal(
      'UNAUTHENTICATED',
    );
    expect(verdict(at, good.slice(0, 5))).to.equal('FRAME_COUNT');
    expect(verdict(at, [])).to.equal('FRAME_COUNT');
    expect(verdict(at, [...good, Buffer.alloc(0)])).to.equal('FRAME_COUNT');
  });

  it('is refused when it is of 2014, which has no proof', () => {
    const refusal = refusalOf(() => door().proofs.check([Buffer.from('{"uuid":"1"}')]));
    expect(refusal.code).to.equal('UNAUTHENTICATED');
    expect(refusal.message).to.include('a message of 2014');
  });

  it('is refused when another agent sent it', () => {
    const at = door();
    const forged = proved(result('web1', 1), web2, at.own.current.publicKey);
    const refusal = refusalOf(() => at.proofs.check(forged));
    expect([refusal.code, refusal.message]).to.deep.equal([
      'UNAUTHENTICATED',
      'message in the name of web1: it is not made with its key',
    ]);
  });

  it('is refused in the name of a node that nobody knows, also when an operator has that name', () => {
    const at = door([alice]);
    const refusal = refusalOf(() =>
      at.proofs.check(proved(result('web1', 1), alice, at.own.current.publicKey)),
    );
    expect([refusal.code, refusal.message]).to.deep.equal([
      'UNAUTHENTICATED',
      'message in the name of web1: no agent of this name may come in',
    ]);
  });

  it('is refused when it was made for another manager', () => {
    const at = door();
    expect(verdict(at, proved(result('web1', 1), web1, newCurveKeys().publicKey))).to.equal(
      'UNAUTHENTICATED',
    );
  });

  for (const state of ['pending', 'rejected', 'revoked'] as const)
    it(`is refused when the key of its node is ${state}`, () => {
      const at = door([]);
      at.ring.restore([keyEntryOf(web1, { state })], []);
      expect(said(at, result('web1', 1))).to.equal('UNAUTHENTICATED');
    });

  it('is refused from the moment on in which its key is revoked', () => {
    const at = door();
    expect(said(at, result('web1', 1))).to.equal('taken');
    at.ring.revoke(web1.fingerprint, 1);
    expect(said(at, result('web1', 2))).to.equal('UNAUTHENTICATED');
    expect(said(at, result('web2', 1), web2)).to.equal('taken');
  });

  it('with malformed routing is refused before its proof is looked at', () => {
    const at = door();
    const good = proved(result('web1', 1), web1, at.own.current.publicKey);
    expect(verdict(at, good.with(1, Buffer.from('no id')))).to.equal('INVALID_MESSAGE');
    expect(verdict(at, good.with(2, Buffer.from('-')))).to.equal('INVALID_MESSAGE');
    for (const sequence of ['-1', '1.5', '1e3', '', '9'.repeat(16)])
      expect(verdict(at, good.with(3, Buffer.from(sequence))), sequence).to.equal('INVALID_MESSAGE');
  });
});

describe('a message that comes again', () => {
  it('is refused, of whichever type it is', () => {
    const at = door();
    const messages = [hello('web1', 'a', 1), beat('web1', 'a', 2), result('web1', 3), bye('web1', 'a', 4)];
    for (const frames of messages) expect(said(at, frames)).to.equal('taken');
    for (const frames of messages) expect(said(at, frames)).to.equal('REPLAYED');
  });

  it('says whether it is known or too old to be', () => {
    const at = door();
    // Thousands between them were lost.
    for (const sequence of [1, 5_000]) expect(said(at, result('web1', sequence))).to.equal('taken');
    const told = (sequence: number) =>
      refusalOf(() => at.proofs.check(proved(result('web1', sequence), web1, at.own.current.publicKey)));
    expect(told(5_000).message).to.equal('message 5000 of web1: it was taken before');
    expect(told(2).message).to.equal('message 2 of web1: it is too old to know');
  });

  it('is told apart from those that overtook it', () => {
    const at = door();
    for (const sequence of [10, 12, 11, 13, 9]) expect(said(at, result('web1', sequence))).to.equal('taken');
    for (const sequence of [9, 10, 11, 12, 13])
      expect(said(at, result('web1', sequence))).to.equal('REPLAYED');
  });

  it('does not hold up another node with the same numbers', () => {
    const at = door();
    expect([said(at, result('web1', 1)), said(at, result('web2', 1), web2)]).to.deep.equal([
      'taken',
      'taken',
    ]);
  });

  it('is refused when somebody has put another number on it', () => {
    const at = door();
    const good = proved(result('web1', 1), web1, at.own.current.publicKey);
    verdict(at, good);
    expect(verdict(at, good.with(3, Buffer.from('2')))).to.equal('UNAUTHENTICATED');
    // One number has several texts, and the proof is of the text.
    expect(verdict(at, good.with(3, Buffer.from('01')))).to.equal('UNAUTHENTICATED');
  });

  it('moves no window when its proof is wrong', () => {
    const at = door();
    said(at, result('web1', 1));
    expect(said(at, result('web1', 1_000_000), web2)).to.equal('UNAUTHENTICATED');
    expect(said(at, result('web1', 2))).to.equal('taken');
  });
});

describe('a new run of an agent', () => {
  it('begins to count anew, also below where the run before was', () => {
    const at = door();
    for (const frames of [hello('web1', 'a', 5_000), result('web1', 5_001)]) said(at, frames);
    const messages = [hello('web1', 'b', 10), result('web1', 11), beat('web1', 'b', 12)];
    expect(messages.map((frames) => said(at, frames))).to.deep.equal(['taken', 'taken', 'taken']);
    expect(said(at, result('web1', 11))).to.equal('REPLAYED');
  });

  it('may be heard of by other messages than its hello first', () => {
    const at = door();
    expect(said(at, result('web1', 10))).to.equal('taken');
    expect(said(at, hello('web1', 'a', 11))).to.equal('taken');
    // They are of one run, so they are counted together.
    expect(said(at, result('web1', 10))).to.equal('REPLAYED');
    expect(said(at, beat('web1', 'a', 10))).to.equal('REPLAYED');
  });

  it('is not begun by an old message of an earlier run', () => {
    const at = door();
    for (const frames of [hello('web1', 'a', 1), beat('web1', 'a', 2), hello('web1', 'b', 1)])
      expect(said(at, frames)).to.equal('taken');
    for (const frames of [hello('web1', 'a', 1), beat('web1', 'a', 2), hello('web1', 'b', 1)])
      expect(said(at, frames)).to.equal('REPLAYED');
    said(at, result('web1', 2));
    expect(said(at, hello('web1', 'a', 1))).to.equal('REPLAYED');
    expect(said(at, result('web1', 2))).to.equal('REPLAYED');
  });

  it('goes on when a last word of the run before it arrives late', () => {
    const at = door();
    for (const frames of [hello('web1', 'a', 1), result('web1', 2), hello('web1', 'b', 1_001)])
      said(at, frames);
    said(at, result('web1', 1_002));
    expect(said(at, beat('web1', 'a', 3))).to.equal('taken');
    expect(said(at, bye('web1', 'a', 4))).to.equal('taken');
    expect(said(at, result('web1', 1_003))).to.equal('taken');
    expect(said(at, beat('web1', 'b', 1_004))).to.equal('taken');
    expect(said(at, result('web1', 1_002))).to.equal('REPLAYED');
  });

  it('is one of eight that are remembered', () => {
    const at = door();
    for (const letter of '01234567') said(at, hello('web1', letter, 1));
    for (const letter of '01234567') expect(said(at, hello('web1', letter, 1)), letter).to.equal('REPLAYED');
    said(at, hello('web1', '8', 1));
    expect(said(at, hello('web1', '1', 1))).to.equal('REPLAYED');
  });
});

describe('two machines with one key', () => {
  it('are both heard, and the one that stays is not held against the numbers of the other', () => {
    const at = door();
    for (const frames of [hello('web1', 'a', 10), hello('web1', 'b', 90_000), beat('web1', 'b', 90_001)])
      expect(said(at, frames)).to.equal('taken');
    expect(said(at, result('web1', 11))).to.equal('taken');
    expect(said(at, beat('web1', 'a', 12))).to.equal('taken');
    expect(said(at, result('web1', 13))).to.equal('taken');
    expect(said(at, bye('web1', 'b', 90_002))).to.equal('taken');
    expect(said(at, result('web1', 14))).to.equal('taken');
    for (const sequence of [11, 13, 14]) expect(said(at, result('web1', sequence))).to.equal('REPLAYED');
  });

  it('go on to be heard while both are at work', () => {
    const at = door();
    for (const frames of [hello('web1', 'a', 10), hello('web1', 'b', 90_000)]) said(at, frames);
    for (let turn = 1; turn < 50; turn += 1) {
      for (const [letter, start] of [
        ['a', 10],
        ['b', 90_000],
      ] as const) {
        const first = start + 3 * turn;
        const messages = [beat('web1', letter, first), result('web1', first + 1)];
        for (const frames of messages) expect(said(at, frames), `${letter} ${turn}`).to.equal('taken');
      }
      // Whose sign of life was the last does not matter.
      expect(said(at, result('web1', 10 + 3 * turn + 2)), `a ${turn}`).to.equal('taken');
    }
  });

  it('are both heard by a manager that was started again, whatever it hears first', () => {
    const at = door();
    for (const frames of [
      result('web1', 10),
      result('web1', 90_000),
      beat('web1', 'a', 11),
      beat('web1', 'b', 90_001),
    ])
      expect(said(at, frames)).to.equal('taken');
  });

  it('are not brought into play by a copy of what one of them said', () => {
    const at = door();
    for (const frames of [hello('web1', 'a', 90_000), hello('web1', 'b', 10), beat('web1', 'b', 11)])
      said(at, frames);
    expect(said(at, hello('web1', 'a', 90_000))).to.equal('REPLAYED');
    expect(said(at, result('web1', 12))).to.equal('taken');
  });
});

describe('a node that is forgotten', () => {
  it('begins to count anew', () => {
    const at = door();
    for (const frames of [hello('web1', 'a', 1), result('web1', 2)]) said(at, frames);
    at.proofs.forget('web1' as NodeName);
    expect(said(at, result('web1', 2))).to.equal('taken');
  });
});

describe('an agent that changes its key', () => {
  it('is believed with either, while one retires', () => {
    const at = door([]);
    const next = keyOwner('agent', 'web1');
    at.ring.restore(
      [keyEntryOf(web1, { state: 'retiring', untilWallMs: 1_000 }), keyEntryOf(next, { sinceWallMs: 2 })],
      [],
    );
    expect(said(at, result('web1', 1), next)).to.equal('taken');
    expect(said(at, result('web1', 2), web1)).to.equal('taken');
    // With another key it is no other message.
    expect(said(at, result('web1', 2), next)).to.equal('REPLAYED');
    at.ring.tick(1_000);
    expect(said(at, result('web1', 3), web1)).to.equal('UNAUTHENTICATED');
    expect(said(at, result('web1', 3), next)).to.equal('taken');
  });
});

describe('a manager that changes its key', () => {
  it('still believes what was proved with the one before', () => {
    const at = door();
    const before = at.own.current.publicKey;
    at.own.rotate(newCurveKeys(), 1);
    expect(verdict(at, proved(result('web1', 1), web1, at.own.nextKey ?? before))).to.equal(
      'UNAUTHENTICATED',
    );
    at.own.switchOver(1);
    expect(verdict(at, proved(result('web1', 1), web1, at.own.current.publicKey))).to.equal('taken');
    expect(verdict(at, proved(result('web1', 2), web1, before))).to.equal('taken');
  });
});
