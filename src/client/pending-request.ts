import { type Outcome, outcomeOfAnswer } from '../core/outcome.ts';
import type { RequestEnd } from '../wire/end.ts';
import type { RequestId } from '../wire/fields.ts';
import type { OutputPiece } from '../wire/output.ts';
import type { RolloutInfo } from '../wire/query.ts';
import type { Absence, Accepted } from '../wire/reply.ts';
import { type Answer, nodeOfAnswer } from '../wire/result.ts';
import type { Replied } from './ask.ts';
import type { Collection } from './collection.ts';
import type { Connections } from './connections.ts';

/** What became of a request at one node. */
export interface NodeOutcome {
  readonly node: string;
  readonly outcome: Outcome;
}

/** How a request came out, as far as it is known. */
export interface Summary {
  readonly id: RequestId;
  /** Every node that it was aimed at by name and every other one that answered, each once. */
  readonly outcomes: readonly NodeOutcome[];
  /** v1 agents that were asked and did not answer: they have no name. */
  readonly unnamed: number;
  /** v1 agents that were not asked, because a v1 agent on a shorter topic would have acted too. */
  readonly withheld: number;
  /** A manager said that the request is over; false when the window ended first. */
  readonly isOver: boolean;
  readonly isCancelled: boolean;
  /** How far a rollout is or was, and why it stopped before its end, if it did. */
  readonly rollout?: RolloutInfo;
  /** False from a v1 manager, which does not say whom it asked. */
  readonly isAimKnown: boolean;
  /** Messages about this request that could not be read. */
  readonly unreadable: number;
}

/** A request that a manager took. Iterate it once for the answers, as they come; then ask for its summary. */
export class PendingRequest implements AsyncIterable<Answer> {
  readonly id: RequestId;
  /** Nodes that were asked and are alive; empty from a v1 manager. */
  readonly nodes: readonly string[];
  /** Nodes that are known but not there, and so were not asked. */
  readonly unreachable: readonly Absence[];
  /** How many agents were asked, named ones and v1 agents; undefined from a v1 manager, which does not say. */
  readonly expected: number | undefined;
  /** By how much the clock of this host is ahead of the manager's, in milliseconds; undefined where it does not say. */
  readonly clockOffsetMs: number | undefined;
  readonly #accepted: Accepted;
  readonly #collection: Collection;
  readonly #answered = new Map<string, Outcome>();
  #unnamedAnswers = 0;

  /** `collection` is of this request, and maybe listening already. */
  constructor({ endpoint, reply }: Replied<Accepted>, collection: Collection, connections: Connections) {
    this.id = reply.uuid;
    this.nodes = reply.nodes ?? [];
    this.unreachable = reply.unreachable ?? [];
    this.expected = reply.expected;
    this.clockOffsetMs = reply.clockOffsetMs;
    this.#accepted = reply;
    this.#collection = collection;
    this.#collection.listen(connections.publisherOf(endpoint, reply.port));
  }

  /** How far a rollout is; undefined of other requests, and before its manager said so. */
  get rollout(): RolloutInfo | undefined {
    return this.#collection.rollout;
  }

  /**
   * Endpoint of the manager that runs the rollout, while it does not answer. Nobody takes over: the rollout goes on, and
   * so does the wait, when it is back.
   */
  get silentManager(): string | undefined {
    return this.#collection.silentManager;
  }

  /** The manager that runs the rollout has lost it with its history, so it is not waited for any longer. */
  get isForgotten(): boolean {
    return this.#collection.isForgotten;
  }

  /** Calls `run` whenever `rollout` or `silentManager` has changed. */
  onChange(run: () => void): void {
    this.#collection.onChange(run);
  }

  /**
   * Calls `run` with what the actions print, as it comes, if the order said `follow`. Pieces may be lost; each answer has
   * the output of its node once more.
   */
  onOutput(run: (piece: OutputPiece) => void): void {
    this.#collection.onOutput(run);
  }

  /** Answers that are known already, when this is about an earlier request. */
  add(answers: Iterable<Answer>): this {
    for (const answer of answers) this.#collection.add(answer);
    return this;
  }

  /** The request is over, as a manager said in other words. */
  finish(end: RequestEnd): void {
    this.#collection.finish(end);
  }

  /** Nobody who iterates waits any longer. */
  stop(): void {
    this.#collection.close();
  }

  /** Ends when a manager says that the request is over, or when the window is. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Answer, void, void> {
    for await (const answer of this.#collection.answers()) {
      const node = nodeOfAnswer(answer);
      this.#unnamedAnswers += node === undefined ? 1 : 0;
      this.#answered.set(node ?? `unnamed-${this.#unnamedAnswers}`, outcomeOfAnswer(answer));
      yield answer;
    }
  }

  /** What is known now; final when the iteration is over. */
  get summary(): Summary {
    const { end, unreadable } = this.#collection;
    const outcomes = new Map<string, Outcome>();
    for (const { node, outcome } of end?.outcomes ?? this.#assumed()) outcomes.set(node, outcome);
    for (const [node, outcome] of this.#answered) outcomes.set(node, outcome);
    return {
      id: this.id,
      outcomes: [...outcomes].map(([node, outcome]) => ({ node, outcome })),
      unnamed: end?.unnamed ?? this.#unnamedMissing(),
      withheld: this.#accepted.withheld ?? 0,
      isOver: end !== undefined,
      isCancelled: end?.isCancelled ?? false,
      isAimKnown: this.expected !== undefined,
      unreadable,
      ...this.#rolloutSummary(),
    };
  }

  #rolloutSummary(): Pick<Summary, 'rollout'> {
    const { rollout, end } = this.#collection;
    if (end?.stopped === undefined) return rollout === undefined ? {} : { rollout };
    return { rollout: { batch: 0, batches: 0, started: 0, ...rollout, stopped: end.stopped } };
  }

  /** Without the manager's word: who was asked and has not answered. */
  #assumed(): NodeOutcome[] {
    return [
      ...this.nodes.map((node) => ({ node, outcome: 'no-answer' as const })),
      ...this.unreachable.map(({ node }) => ({ node, outcome: 'unreachable' as const })),
    ];
  }

  #unnamedMissing(): number {
    if (this.expected === undefined) return this.#answered.size === 0 ? 1 : 0;
    const named = new Set(this.nodes);
    const others = [...this.#answered.keys()].filter((node) => !named.has(node)).length;
    return Math.max(0, this.expected - named.size - others);
  }
}
