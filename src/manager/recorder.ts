import type { Member } from '../core/roster.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Store, StoredAnswer } from '../store/store.ts';
import { isServiceManagerError } from '../wire/errors.ts';
import type { NodeName, RequestId } from '../wire/fields.ts';

export interface RecorderDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** The answer of this node is safe: it need not keep it for us. */
  readonly onStored: (id: RequestId, node: NodeName) => void;
}

type Answer = StoredAnswer & { readonly id: RequestId };

// Answers come in crowds: one transaction for each would cost more than the answers.
const flushDelayMs = 5;
const retryMs = 1_000;

/** Writes what the ledgers note, a batch at a time, and confirms answers only when they are stored. */
export class Recorder {
  readonly #deps: RecorderDeps;
  #answers: Answer[] = [];
  #members = new Map<NodeName, Member>();
  /** By request and node: while nothing can be stored, the agents say the same again and again. */
  #confirmations = new Map<string, { readonly id: RequestId; readonly node: NodeName }>();
  #ends: { readonly id: RequestId; readonly endedWallMs: number }[] = [];
  #cancelFlush: Cancel | undefined;

  constructor(deps: RecorderDeps) {
    this.#deps = deps;
  }

  answer(answer: Answer): void {
    this.#answers.push(answer);
    this.#schedule(flushDelayMs);
  }

  member(member: Member): void {
    this.#members.set(member.node, member);
    this.#schedule(flushDelayMs);
  }

  /** The request is over: noted behind its answers. */
  end(id: RequestId, endedWallMs: number): void {
    this.#ends.push({ id, endedWallMs });
    this.#schedule(flushDelayMs);
  }

  /** Tells the node, once all that was noted so far is stored. */
  confirm(id: RequestId, node: NodeName): void {
    this.#confirmations.set(`${id} ${node}`, { id, node });
    this.#schedule(flushDelayMs);
  }

  /** Writes now. What cannot be written is kept and tried again. */
  flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    try {
      this.#write();
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      this.#deps.log.error('store.failed', { error, answersWaiting: this.#answers.length });
      this.#schedule(retryMs);
    }
  }

  /** Writes a last time. What cannot be written is sent again by the agents, to whoever comes next. */
  close(): void {
    this.flush();
    this.#cancelFlush?.();
  }

  #write(): void {
    const { store, onStored } = this.#deps;
    for (const [node, member] of this.#members) {
      store.saveMember(member);
      this.#members.delete(node);
    }
    if (this.#answers.length > 0) store.saveAnswers(this.#answers);
    this.#answers = [];
    for (let end = this.#ends[0]; end !== undefined; end = this.#ends[0]) {
      store.updateRequest(end.id, { endedWallMs: end.endedWallMs });
      this.#ends.shift();
    }
    const confirmations = this.#confirmations;
    this.#confirmations = new Map();
    for (const { id, node } of confirmations.values()) onStored(id, node);
  }

  #schedule(delayMs: number): void {
    this.#cancelFlush ??= this.#deps.clock.after(delayMs, 'store', () => this.flush());
  }
}
