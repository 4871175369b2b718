import type { Clock } from '../platform/clock.ts';
import { RequestEnd } from '../wire/end.ts';
import type { RequestId } from '../wire/fields.ts';
import { OutputPiece } from '../wire/output.ts';
import { type RolloutInfo, RolloutProgress } from '../wire/query.ts';
import { Answer, isServiceAnswer, nodeOfAnswer, withTextOutput } from '../wire/result.ts';
import { endTopic, outputTopic, rolloutTopic } from '../wire/topic.ts';
import type { Connections } from './connections.ts';
import { Mailbox } from './mailbox.ts';

export interface CollectionOptions {
  readonly id: RequestId;
  readonly isRollout: boolean;
  /** What the actions print is wanted as it comes. */
  readonly isFollowed?: boolean;
  /** Of the clock's `now`. */
  readonly deadlineMs: number;
  /** Ends the collection when aborted. */
  readonly signal: AbortSignal | undefined;
  readonly connections: Connections;
  readonly clock: Clock;
}

const mostUnwatched = 1_000;
const progressFields = ['batch', 'batches', 'started', 'pauseUntilMs', 'stopped'] as const;

/** Gathers what is published about one request, by one manager or by several: each node's answer once. */
export class Collection {
  readonly #options: CollectionOptions;
  /** By publisher. */
  readonly #listening = new Map<string, () => void>();
  readonly #answeredBy = new Set<string>();
  readonly #answers = new Mailbox<Answer>();
  readonly #release: () => void;
  readonly #changes: Array<() => void> = [];
  readonly #watchers: Array<(piece: OutputPiece) => void> = [];
  /** Pieces that came before anybody watched. */
  readonly #unwatched: OutputPiece[] = [];
  readonly #ends: Array<() => void> = [];
  #end: RequestEnd | undefined;
  #rollout: RolloutInfo | undefined;
  #silentManager: string | undefined;
  #isForgotten = false;
  #unreadable = 0;

  constructor(options: CollectionOptions) {
    this.#options = options;
    const { clock, deadlineMs, signal } = options;
    const finish = () => this.#finish();
    const cancel = clock.after(Math.max(0, deadlineMs - clock.now()), 'window', finish);
    signal?.addEventListener('abort', finish, { once: true });
    this.#release = () => {
      cancel();
      signal?.removeEventListener('abort', finish);
    };
    if (signal?.aborted) this.#finish();
  }

  get id(): RequestId {
    return this.#options.id;
  }

  /** The manager's word that the request is over; undefined from a v1 manager or when the window ended first. */
  get end(): RequestEnd | undefined {
    return this.#end;
  }

  /** How far a rollout is, as far as that is known. */
  get rollout(): RolloutInfo | undefined {
    return this.#rollout;
  }

  /** Endpoint of the manager of a rollout, while it does not answer. */
  get silentManager(): string | undefined {
    return this.#silentManager;
  }

  /** The manager of a rollout has lost it with its history. */
  get isForgotten(): boolean {
    return this.#isForgotten;
  }

  get isOver(): boolean {
    return this.#answers.isClosed;
  }

  /** Messages that were no answers. */
  get unreadable(): number {
    return this.#unreadable;
  }

  /** Listens to this publisher too, if it does not yet. */
  listen(publisher: string): void {
    if (this.isOver || this.#listening.has(publisher)) return;
    const { connections, id, isRollout, isFollowed } = this.#options;
    const feed = connections.feed(publisher);
    const progress = (payload: Buffer): void => this.#receiveProgress(RolloutProgress.tryDecode(payload));
    // The id last: the manager begins to replay when it sees it.
    const stops = [
      ...(isFollowed ? [feed.listen(outputTopic(id), (payload) => this.#receiveOutput(payload))] : []),
      ...(isRollout ? [feed.listen(rolloutTopic(id), progress)] : []),
      feed.listen(endTopic(id), (payload) => this.#receiveEnd(RequestEnd.tryDecode(payload))),
      feed.listen(id, (payload) => this.#receiveAnswer(Answer.tryDecode(payload))),
    ];
    this.#listening.set(publisher, () => {
      for (const stop of stops) stop();
    });
  }

  /** Takes an answer that is known from elsewhere, also when the request is over, until the iteration has ended. */
  add(answer: Answer): void {
    const node = nodeOfAnswer(answer);
    if (node !== undefined && this.#answeredBy.has(node)) return;
    if (node !== undefined) this.#answeredBy.add(node);
    this.#answers.put(isServiceAnswer(answer) ? withTextOutput(answer) : answer);
  }

  hasAnswerOf(node: string): boolean {
    return this.#answeredBy.has(node);
  }

  /** Calls `run` whenever `rollout` or `silentManager` has changed. */
  onChange(run: () => void): void {
    this.#changes.push(run);
  }

  /** Calls `run` with what the actions print, as it comes, beginning with what has come already. */
  onOutput(run: (piece: OutputPiece) => void): void {
    this.#watchers.push(run);
    for (const piece of this.#unwatched.splice(0)) run(piece);
  }

  /** Calls `run` when no more answers will come; at once if that is so already. */
  onceOver(run: () => void): void {
    if (this.isOver) run();
    else this.#ends.push(run);
  }

  /** A rollout is so far, as a manager said in some way. What comes out of order is left aside. */
  advance(rollout: RolloutInfo): void {
    const known = this.#rollout;
    if (known !== undefined && (known.batch > rollout.batch || known.started > rollout.started)) return;
    if (known !== undefined && progressFields.every((field) => known[field] === rollout[field])) return;
    this.#rollout = rollout;
    for (const run of this.#changes) run();
  }

  /** The manager at this endpoint does not answer; undefined: it does again. */
  noteSilence(endpoint: string | undefined): void {
    if (this.#silentManager === endpoint) return;
    this.#silentManager = endpoint;
    for (const run of this.#changes) run();
  }

  /** The answers as they come, until a manager says that the request is over or the window ends. To be iterated once. */
  async *answers(): AsyncGenerator<Answer, void, void> {
    try {
      yield* this.#answers.items();
    } finally {
      this.close();
    }
  }

  /** Nobody will say any more what becomes of it. */
  forget(): void {
    this.#isForgotten = true;
    this.#finish();
  }

  /** The request is over, as a manager said. */
  finish(end: RequestEnd): void {
    this.#end ??= end;
    this.#finish();
  }

  /** Twice is harmless. */
  close(): void {
    this.#finish();
    for (const stop of this.#listening.values()) stop();
    this.#listening.clear();
  }

  #receiveEnd(end: RequestEnd | undefined): void {
    if (end === undefined) this.#unreadable += 1;
    else this.finish(end);
  }

  #receiveProgress(rollout: RolloutInfo | undefined): void {
    if (rollout === undefined) this.#unreadable += 1;
    else this.advance(rollout);
  }

  #receiveOutput(payload: Buffer): void {
    const piece = OutputPiece.tryDecode(payload);
    if (piece === undefined) this.#unreadable += 1;
    else if (this.#watchers.length === 0) this.#keepUnwatched(piece);
    else for (const run of this.#watchers) run(piece);
  }

  /** Who does not watch at once may never do so; the gap in what he gets tells him, and each answer has it once more. */
  #keepUnwatched(piece: OutputPiece): void {
    if (this.#unwatched.length < mostUnwatched) this.#unwatched.push(piece);
  }

  #receiveAnswer(answer: Answer | undefined): void {
    if (answer === undefined) this.#unreadable += 1;
    else if (!this.isOver) this.add(answer);
  }

  #finish(): void {
    this.#release();
    this.#answers.close();
    for (const run of this.#ends.splice(0)) run();
  }
}
