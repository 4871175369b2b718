import type { AimedNode, Ledger, LedgerOptions } from '../core/ledger.ts';
import { outcomeOfAnswer } from '../core/outcome.ts';
import { RateLimit } from '../core/rate-limit.ts';
import { type RequestEffect, Requests } from '../core/requests.ts';
import type { Member } from '../core/roster.ts';
import type { Reach } from '../core/subscriptions.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Store, StoredRequest } from '../store/store.ts';
import { isServiceManagerError } from '../wire/errors.ts';
import { type NodeName, type RequestId, readOnlyActions } from '../wire/fields.ts';
import { type CheckedRequest, RequestBody } from '../wire/request.ts';
import type { SinkMessage } from '../wire/sink.ts';
import type { Dispatchable, Dispatcher } from './dispatch.ts';
import type { Publisher } from './publisher.ts';
import type { Recorder } from './recorder.ts';

export interface RequestDeskDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly recorder: Recorder;
  readonly dispatcher: Dispatcher;
  readonly publisher: Publisher;
  readonly ledger: LedgerOptions;
}

/** Whom a new request is aimed at. */
export interface AimedAt {
  readonly members: readonly Member[];
  readonly reach: Reach;
}

type Result = Extract<SinkMessage, { type: 'result' }>;
type Ack = Extract<SinkMessage, { type: 'ack' }>;

// A v1 request says no window; its ledger stays open this long for agents that never answer.
const defaultWindowMs = 60_000;
const limits = { maxOpen: 10_000, maxEnded: 200 };
// Clients that lost their manager in the last moment of a request may still want to know how it ended.
const replayEndedMs = 60_000;
const unknownIntervalMs = 60_000;
const maxUnknownNodes = 1_000;
const restorePageBytes = 64 * 1024 * 1024;

/** Carries requests from their opening to their end: feeds the ledgers and carries out what they decide. */
export class RequestDesk {
  readonly #deps: RequestDeskDeps;
  readonly #requests: Requests;
  /** What is sent again when a node is asked again. */
  readonly #dispatchables = new Map<RequestId, Dispatchable>();
  /** Requests that could not be stored: what is said of them is not to wait for the store, which may fail for long. */
  readonly #unstored = new Set<RequestId>();
  /** Anybody may send such results: they must not fill the log. */
  readonly #unknown = new RateLimit(unknownIntervalMs, maxUnknownNodes);
  #ended = 0;

  constructor(deps: RequestDeskDeps) {
    this.#deps = deps;
    this.#requests = new Requests(limits, deps.ledger);
  }

  get openCount(): number {
    return this.#requests.openCount;
  }

  get isFull(): boolean {
    return this.#requests.isFull;
  }

  get endedCount(): number {
    return this.#ended;
  }

  /**
   * Opens the request and sends it on its way. What changes a service is remembered before it is sent: throws
   * STORE_UNUSABLE, and sends nothing, when it cannot be. What only reads need not wait for that.
   */
  open(checked: CheckedRequest, { members, reach }: AimedAt): Ledger {
    const { clock, publisher, dispatcher } = this.#deps;
    const request = withDeadline(checked, clock.wallMs());
    const { id, cmd, windowMs = defaultWindowMs } = request.body;
    const now = clock.now();
    const anonymous = request.body.nodes === undefined ? reach.v1 : 0;
    const nodes = members.map(aimedNodeOf);
    const ledger = this.#requests.add(
      { id, nodes, anonymous, withheld: reach.withheld, endsAtMs: now + windowMs },
      now,
    );
    const isReadOnly = readOnlyActions.has(cmd);
    if (!isReadOnly) this.#store(request, ledger, windowMs);
    this.#dispatchables.set(id, request);
    publisher.open(id, now);
    dispatcher.request(request, reach);
    if (isReadOnly) this.#tryToStore(request, ledger, windowMs);
    this.#carryOut(this.#requests.step(ledger, { kind: 'tick' }, now), undefined);
    return ledger;
  }

  /** The ledger of a request, also of an old one; undefined when there is none. */
  find(id: RequestId): Ledger | undefined {
    const inMemory = this.#requests.get(id);
    if (inMemory !== undefined) return inMemory;
    const stored = this.#deps.store.request(id);
    return stored === undefined ? undefined : this.#load(stored);
  }

  result(result: Result): void {
    const { id, node, isV1, answer, payload } = result;
    const { clock, log, publisher, recorder, dispatcher } = this.#deps;
    const ledger = this.find(id);
    if (ledger === undefined) {
      const heldBack = this.#unknown.pass(node ?? '', clock.now());
      if (heldBack !== undefined) log.warn('result.of_unknown_request', { id, node, heldBack });
      // Whoever listens still gets it.
      publisher.answer(id, payload);
    } else {
      const event = { kind: 'result', node, isV1, outcome: outcomeOfAnswer(answer) } as const;
      this.#carryOut(this.#requests.step(ledger, event, clock.now()), payload);
    }
    if (isV1 || node === undefined) return;
    // Also when it came before: then our word that it is stored was lost.
    if (this.#unstored.has(id)) dispatcher.control(node, { type: 'stored', id });
    else recorder.confirm(id, node);
  }

  acknowledged({ id, node, phase }: Ack): void {
    const ledger = this.#requests.get(id);
    if (ledger === undefined) return;
    this.#carryOut(
      this.#requests.step(ledger, { kind: 'ack', node, phase }, this.#deps.clock.now()),
      undefined,
    );
  }

  presence(node: NodeName, isAlive: boolean): void {
    this.#carryOut(this.#requests.presence(node, isAlive, this.#deps.clock.now()), undefined);
  }

  /** Throws STORE_UNUSABLE when it cannot be noted; the nodes are told all the same, and asking again notes it. */
  cancel(ledger: Ledger): void {
    const { clock, store, log } = this.#deps;
    // Everybody has answered: there is nothing left to cancel.
    if (ledger.isOver && ledger.entries().every(({ phase }) => phase === 'done')) return;
    const now = clock.now();
    if (!ledger.isCancelled) log.info('request.cancelled', { id: ledger.id });
    this.#carryOut(this.#requests.step(ledger, { kind: 'cancel' }, now), undefined);
    const endsWallMs = clock.wallMs() + Math.max(0, ledger.endsAtMs - now);
    store.updateRequest(ledger.id, ledger.isOver ? { isCancelled: true } : { isCancelled: true, endsWallMs });
  }

  tick(): void {
    this.#carryOut(this.#requests.tick(this.#deps.clock.now()), undefined);
  }

  /** Takes up what an earlier run of this manager left open, and keeps at hand what had just ended. */
  restore(memberOf: (node: NodeName) => Member | undefined): void {
    const { clock, store, publisher, log } = this.#deps;
    for (const stored of store.unfinished(clock.wallMs() - replayEndedMs)) {
      const ledger = this.#load(stored, (node) => memberOf(node)?.presence === 'alive');
      publisher.open(stored.id, clock.now());
      for (const { payload } of store.answers(stored.id, { limit: 100_000, maxBytes: restorePageBytes })) {
        if (payload !== undefined) publisher.answer(stored.id, payload);
      }
      if (ledger.isOver) publisher.end(endOf(ledger));
      else this.#dispatchables.set(stored.id, dispatchableOf(stored));
    }
    if (this.openCount > 0) log.info('requests.restored', { open: this.openCount });
  }

  #store(request: CheckedRequest, ledger: Ledger, windowMs: number): void {
    try {
      this.#write(request, ledger, windowMs);
    } catch (error) {
      this.#requests.drop(ledger);
      throw error;
    }
  }

  #write(request: CheckedRequest, ledger: Ledger, windowMs: number): void {
    const { store, clock } = this.#deps;
    store.openRequest(storedRequestOf(request, ledger, clock.wallMs(), windowMs), ledger.entries());
  }

  #tryToStore(request: CheckedRequest, ledger: Ledger, windowMs: number): void {
    try {
      this.#write(request, ledger, windowMs);
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      this.#deps.log.error('store.failed', { id: request.body.id, error });
      this.#unstored.add(request.body.id);
      const [oldest] = this.#unstored;
      if (this.#unstored.size > limits.maxOpen && oldest !== undefined) this.#unstored.delete(oldest);
    }
  }

  #load(stored: StoredRequest, isThere?: (node: NodeName) => boolean): Ledger {
    const { clock, store } = this.#deps;
    const now = clock.now();
    const endsAtMs = now + (stored.endsWallMs - clock.wallMs());
    const { id, anonymous, withheld } = stored;
    const ledger = this.#requests.add({ id, nodes: [], anonymous, withheld, endsAtMs }, now);
    ledger.restore(store.entries(id), stored.endedWallMs !== undefined, stored.isCancelled, isThere);
    this.#requests.settle(ledger);
    return ledger;
  }

  #carryOut(effects: readonly RequestEffect[], payload: Buffer | undefined): void {
    const { clock, publisher, recorder, dispatcher } = this.#deps;
    for (const effect of effects) {
      const { id } = effect;
      if (effect.kind === 'publish' && payload !== undefined) publisher.answer(id, payload);
      else if (effect.kind === 'record' && !this.#unstored.has(id)) {
        const answered = effect.entry.phase === 'done' ? payload : undefined;
        recorder.answer({ ...effect.entry, id, payload: answered, atWallMs: clock.wallMs() });
      } else if (effect.kind === 'ask') {
        const request = this.#dispatchables.get(id);
        if (request !== undefined) dispatcher.requestAgain(request, effect.node);
      } else if (effect.kind === 'cancel') dispatcher.control(effect.node, { type: 'cancel', id });
      else if (effect.kind === 'end') this.#end(id);
    }
  }

  #end(id: RequestId): void {
    const ledger = this.#requests.get(id);
    if (ledger === undefined) return;
    const { clock, log, publisher, recorder } = this.#deps;
    this.#ended += 1;
    this.#dispatchables.delete(id);
    publisher.end(endOf(ledger));
    if (!this.#unstored.has(id)) recorder.end(id, clock.wallMs());
    log.info('request.ended', { id, ...ledger.counts(), isCancelled: ledger.isCancelled });
  }
}

/** A v1 client does not say until when its request is good; an agent that was out of reach must not begin with it later. */
function withDeadline(request: CheckedRequest, wallMs: number): CheckedRequest {
  if (request.version === 'v2') return request;
  const body = { ...request.body, notAfterMs: Math.round(wallMs + defaultWindowMs) };
  return { ...request, body, bodyBytes: RequestBody.encode(body) };
}

function aimedNodeOf({ node, presence, conflict }: Member): AimedNode {
  return { node, isAlive: presence === 'alive', isConflicted: conflict.length > 0 };
}

function storedRequestOf(
  { version, body, bodyBytes, signature }: CheckedRequest,
  { anonymous, withheld }: Ledger,
  wallMs: number,
  windowMs: number,
): StoredRequest {
  return {
    id: body.id,
    form: version,
    bodyBytes,
    signature,
    action: body.cmd,
    topic: body.topic,
    service: body.service,
    openedWallMs: wallMs,
    endsWallMs: wallMs + windowMs,
    endedWallMs: undefined,
    isCancelled: false,
    anonymous,
    withheld,
  };
}

function dispatchableOf({ bodyBytes, signature }: StoredRequest): Dispatchable {
  return { body: RequestBody.decode(bodyBytes), bodyBytes, signature };
}

function endOf(ledger: Ledger) {
  const outcomes = ledger
    .entries()
    .flatMap(({ node, outcome }) => (outcome === undefined ? [] : [{ node, outcome }]));
  const { id: uuid, withheld, isCancelled } = ledger;
  return { uuid, outcomes, unnamed: ledger.anonymousMissing, withheld, isCancelled };
}
