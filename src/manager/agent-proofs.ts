import { isGoodSinkMac, managerProofKey, type ProofKey } from '../security/agent-proof.ts';
import type { KeyEntry } from '../security/key-index.ts';
import type { KeyRing } from '../security/key-ring.ts';
import type { CurveKeys, CurvePublic } from '../security/keys.ts';
import { SequenceWindow, sequenceWindowSize } from '../security/sequence-window.ts';
import { ServiceManagerError } from '../wire/errors.ts';
import type { NodeName } from '../wire/fields.ts';
import { type Routing, sinkRoutingOf } from '../wire/sink.ts';
import type { OwnKeys } from './own-keys.ts';

/** Runs of one agent of which the numbers are remembered: an old message of an earlier run must not count as a new run. */
const maxRuns = 8;
/** Of each of our own keys. */
const maxProofKeys = 50_000;
/** Of now, and some of before. */
const maxOwnKeys = 4;

interface Runs {
  /** By boot id, the latest last. */
  readonly windows: Map<string, SequenceWindow>;
  /** Of the run that was heard of last. */
  current: SequenceWindow;
}

const namesItsRun: ReadonlySet<string> = new Set(['hello', 'beat', 'bye']);
const isSignOfLife: ReadonlySet<string> = new Set(['hello', 'beat']);

/** Finds out whether a message at the sink is from the agent whose name it bears, and whether it was taken before. */
export class AgentProofs {
  readonly #ring: KeyRing;
  readonly #own: OwnKeys;
  /** Making one takes a hundred times as long as a MAC. */
  readonly #proofKeys = new Map<CurvePublic, Map<CurvePublic, ProofKey>>();
  readonly #runs = new Map<NodeName, Runs>();

  constructor(ring: KeyRing, own: OwnKeys) {
    this.#ring = ring;
    this.#own = own;
  }

  /** Throws what `sinkRoutingOf` throws, UNAUTHENTICATED and REPLAYED. */
  check(frames: readonly Buffer[]): void {
    const routing = sinkRoutingOf(frames);
    if (routing === undefined)
      throw new ServiceManagerError('UNAUTHENTICATED', 'a message of 2014: it has no proof of who sent it');
    const entries = this.#ring.ofAgent(routing.node);
    if (!entries.some((entry) => this.#isProved(frames, entry))) {
      const why = entries.length === 0 ? 'no agent of this name may come in' : 'it is not made with its key';
      throw new ServiceManagerError('UNAUTHENTICATED', `message in the name of ${routing.node}: ${why}`);
    }
    this.#checkSequence(frames[0]?.toString('latin1') ?? '', routing);
  }

  forget(node: NodeName): void {
    this.#runs.delete(node);
  }

  #isProved(frames: readonly Buffer[], entry: KeyEntry): boolean {
    const [type, uuid, node, sequence, payload, mac] = frames;
    if (!type || !uuid || !node || !sequence || !payload || !mac) return false;
    const parts = { type, uuid, node, sequence, payload };
    return this.#own.proving.some((own) => isGoodSinkMac(this.#proofKey(own, entry), parts, mac));
  }

  #proofKey(own: CurveKeys, { keys: { curve } }: KeyEntry): ProofKey {
    const ofOwn = this.#proofKeys.get(own.publicKey) ?? new Map<CurvePublic, ProofKey>();
    const known = ofOwn.get(curve);
    if (known !== undefined) return known;
    if (ofOwn.size >= maxProofKeys) ofOwn.clear();
    if (this.#proofKeys.size >= maxOwnKeys) this.#proofKeys.clear();
    const made = managerProofKey(own, curve);
    this.#proofKeys.set(own.publicKey, ofOwn.set(curve, made));
    return made;
  }

  #checkSequence(type: string, { node, uuid, sequence }: Routing): void {
    const runs = this.#runs.get(node) ?? newRuns();
    this.#runs.set(node, runs);
    const window = namesItsRun.has(type) ? windowOf(runs, uuid, sequence) : nearestWindow(runs, sequence);
    const verdict = window.take(sequence);
    // Of two machines with one key each is heard while it lasts, and the one that stays is not held against the other.
    if (isSignOfLife.has(type) && verdict !== 'replay' && verdict !== 'old') runs.current = window;
    if (verdict === 'fresh' || verdict === 'jump') return;
    const what = verdict === 'replay' ? 'it was taken before' : 'it is too old to know';
    throw new ServiceManagerError('REPLAYED', `message ${sequence} of ${node}: ${what}`);
  }
}

/** Of the run with this boot id. */
function windowOf({ windows, current }: Runs, boot: string, sequence: number): SequenceWindow {
  const known = windows.get(boot);
  if (known !== undefined) return known;
  // What came before the first word of a run was counted already.
  const isCounted = windows.size === 0 && isNear(current, sequence);
  const window = isCounted ? current : new SequenceWindow();
  windows.set(boot, window);
  const [oldest] = windows.keys();
  if (windows.size > maxRuns && oldest !== undefined) windows.delete(oldest);
  return window;
}

/**
 * Of what names no run. Each run begins with the time, so the numbers of two machines with one key are far apart: counted
 * together, those of one would make all of the other's too old.
 */
function nearestWindow({ windows, current }: Runs, sequence: number): SequenceWindow {
  if (isNear(current, sequence)) return current;
  let nearest = current;
  for (const window of windows.values())
    if (window.distanceTo(sequence) < nearest.distanceTo(sequence)) nearest = window;
  return nearest;
}

function isNear(window: SequenceWindow, sequence: number): boolean {
  return window.distanceTo(sequence) < sequenceWindowSize;
}

function newRuns(): Runs {
  return { windows: new Map(), current: new SequenceWindow() };
}
