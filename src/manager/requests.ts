import type { Ledger, LedgerOptions } from '../core/ledger.ts';
import { outcomeOfAnswer } from '../core/outcome.ts';
import { RateLimit } from '../core/rate-limit.ts';
import { type RequestEffect, Requests } from '../core/requests.ts';
import type { Member } from '../core/roster.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Fingerprint } from '../security/fingerprint.ts';
import { claimedSigner } from '../security/signature.ts';
import type { Store, StoredRequest } from '../store/store.ts';
import type { Signed } from '../wire/dispatch.ts';
import type { RequestEnd } from '../wire/end.ts';
import { isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import { type NodeName, type RequestId, readOnlyActions } from '../wire/fields.ts';
import type { RolloutInfo } from '../wire/query.ts';
import type { CheckedRequest } from '../wire/request.ts';
import type { SinkMessage } from '../wire/sink.ts';
import { wasSentByName } from './aim.ts';
import type { AimedAt } from './aimed-at.ts';
import type { Dispatcher } from './dispatch.ts';
import { OpenRequests } from './open-requests.ts';
import type { Publisher } from './publisher.ts';
import type { Recorder } from './recorder.ts';
import type { RequestAudit } from './request-audit.ts';
import {
  aimedNodeOf,
  defaultWindowMs,
  dispatchableOf,
  refusalsOf,
  storedRequestOf,
  withDeadline,
} from './request-records.ts';
import { Rollouts } from './rollouts.ts';
import type { Sender } from './signatures.ts';

export interface RequestDeskDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly recorder: Recorder;
  readonly dispatcher: Dispatcher;
  readonly publisher: Publisher;
  readonly audit: RequestAudit;
  readonly ledger: LedgerOptions;
  /** Whoever says something at the sink has proved who he is. */
  readonly isSecure: boolean;
}

type Result = Extract<SinkMessage, { type: 'result' }>;
type Ack = Extract<SinkMessage, { type: 'ack' }>;
type Output = Extract<SinkMessage, { type: 'output' }>;

const limits = { maxOpen: 10_000, maxEnded: 200, maxEndedNodes: 200_000 };
// Clients that lost their manager in the last moment of a request may still want to know how it ended.
const replayEndedMs = 60_000;
const unknownIntervalMs = 60_000;
const maxUnknownNodes = 1_000;
const restorePageBytes = 64 * 1024 * 1024;

/** Carries requests from their opening to their end: feeds the ledgers and carries out what they decide. */
export class RequestDesk {
  readonly #deps: RequestDeskDeps;
  readonly #requests: Requests;
  readonly #open = new OpenRequests();
  readonly #rollouts: Rollouts;
  /** Requests that could not be stored: what is said of them is not to wait for the store, which may fail for long. */
  readonly #unstored = new Set<RequestId>();
  /** Anybody may send such results: they must not fill the log. */
  readonly #unknown = new RateLimit(unknownIntervalMs, maxUnknownNodes);
  #ended = 0;

  constructor(deps: RequestDeskDeps) {
    this.#deps = deps;
    this.#requests = new Requests(limits, deps.ledger);
    this.#rollouts = new Rollouts({ ...deps, requests: this.#requests });
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
  open(checked: CheckedRequest, aimedAt: AimedAt, sender: Sender | undefined): Ledger {
    const { clock, publisher, dispatcher, audit } = this.#deps;
    const request = withDeadline(checked, clock.wallMs());
    const { id, cmd, windowMs = defaultWindowMs } = request.body;
    const now = clock.now();
    const ledger = this.#newLedger(id, aimedAt, now, windowMs);
    const tell = () => audit.opening(request.body, aimedAt, sender);
    const isReadOnly = readOnlyActions.has(cmd) && aimedAt.rollout === undefined;
    const record = storedRequestOf(request, ledger, clock.wallMs(), windowMs, sender);
    if (!isReadOnly) this.#store(record, ledger, tell);
    this.#open.add(request, { sender: sender?.fingerprint, isByName: aimedAt.isByName });
    publisher.open(id, now);
    if (aimedAt.rollout === undefined) dispatcher.request(request, aimedAt);
    if (isReadOnly) this.#tryToStore(record, ledger, tell);
    this.#refuse(ledger, aimedAt);
    this.#carryOut(this.#requests.step(ledger, { kind: 'tick' }, now), undefined);
    return ledger;
  }

  /** Open requests of whoever has this key. */
  openCountOf(fingerprint: Fingerprint): number {
    return this.#open.countOf(fingerprint);
  }

  /** Whether the request of this id, which `find` has found, was made in these words; of one that only reads, as far as we know. */
  isSame(id: RequestId, bodyBytes: Buffer): boolean {
    const made = this.#open.dispatchable(id) ?? this.#deps.store.request(id);
    return made === undefined ? this.#unstored.has(id) : made.bodyBytes.equals(bodyBytes);
  }

  /** It was over long ago, and is not known any more. */
  isSpent(id: RequestId): boolean {
    return this.#deps.store.isSpent(id, this.#deps.clock.wallMs());
  }

  /** The ledger of a request, also of an old one; undefined when there is none. */
  find(id: RequestId): Ledger | undefined {
    const inMemory = this.#requests.get(id);
    if (inMemory !== undefined) return inMemory;
    const stored = this.#deps.store.request(id);
    return stored === undefined ? undefined : this.#load(stored);
  }

  /** How far a rollout is that `find` has found; undefined for other requests. */
  rollout(id: RequestId): RolloutInfo | undefined {
    return this.#rollouts.info(id);
  }

  /** With security, throws NOT_PERMITTED where this node was not asked. */
  result(result: Result): void {
    const { id, node, isV1, answer, payload } = result;
    const ledger = this.find(id);
    const refusal = ledger === undefined ? undefined : this.#refusalOf(ledger, node);
    if (ledger === undefined) this.#resultOfUnknown(result);
    else if (refusal === undefined) {
      const event = { kind: 'result', node, isV1, outcome: outcomeOfAnswer(answer) } as const;
      this.#carryOut(this.#requests.step(ledger, event, this.#deps.clock.now()), payload);
    }
    if (!isV1 && node !== undefined) this.#confirm(id, node);
    if (refusal !== undefined) throw refusal;
  }

  /** With security, throws NOT_PERMITTED where this node was not asked. */
  acknowledged({ id, node, phase }: Ack): void {
    const ledger = this.#requests.get(id);
    if (ledger === undefined) return;
    this.#throwIfRefused(ledger, node);
    this.#carryOut(
      this.#requests.step(ledger, { kind: 'ack', node, phase }, this.#deps.clock.now()),
      undefined,
    );
  }

  /** Handed on while the request is open, and from nodes that it is aimed at. Throws as `acknowledged` does. */
  output({ id, node, payload }: Output): void {
    const ledger = this.#requests.get(id);
    if (ledger === undefined) return;
    this.#throwIfRefused(ledger, node);
    if (!ledger.isOver && ledger.entry(node) !== undefined) this.#deps.publisher.output(id, payload);
  }

  presence(node: NodeName, isAlive: boolean): void {
    this.#carryOut(this.#requests.presence(node, isAlive, this.#deps.clock.now()), undefined);
  }

  /**
   * `signed`: the query of who cancels it, for agents that obey nobody else. Throws STORE_UNUSABLE when it cannot be noted;
   * the nodes are told all the same, and asking again notes it.
   */
  cancel(ledger: Ledger, signed: Signed | undefined): void {
    const { clock, store, log } = this.#deps;
    // Everybody has answered: there is nothing left to cancel.
    if (ledger.isOver && ledger.entries().every(({ phase }) => phase === 'done')) return;
    const now = clock.now();
    if (!ledger.isCancelled) log.info('request.cancelled', { id: ledger.id });
    if (signed !== undefined) this.#open.cancel(ledger.id, signed);
    this.#carryOut(this.#requests.step(ledger, { kind: 'cancel' }, now), undefined, signed);
    const endsWallMs = Math.round(clock.wallMs() + Math.max(0, ledger.endsAtMs - now));
    const change = { isCancelled: true, ...(signed === undefined ? {} : { cancelled: signed }) };
    store.updateRequest(ledger.id, ledger.isOver ? change : { ...change, endsWallMs });
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
      if (ledger.isOver) publisher.end(this.#endOf(ledger));
      else this.#reopen(stored);
    }
    if (this.openCount > 0) log.info('requests.restored', { open: this.openCount });
  }

  #reopen(stored: StoredRequest): void {
    const dispatchable = dispatchableOf(stored);
    const opened = {
      sender: claimedSigner(stored.signature),
      isByName: wasSentByName(dispatchable.body),
    };
    this.#open.add(dispatchable, opened, stored.cancelled);
  }

  #resultOfUnknown({ id, node, payload }: Result): void {
    const { clock, log, publisher, isSecure } = this.#deps;
    const heldBack = this.#unknown.pass(node ?? '', clock.now());
    if (heldBack !== undefined) log.warn('result.of_unknown_request', { id, node, heldBack });
    // Whoever listens still gets it, unless there may be somebody who has only overheard the id.
    if (!isSecure) publisher.answer(id, payload);
  }

  /** Also what came before, for then our word that it is stored was lost, and what nobody wants: else it comes again and again. */
  #confirm(id: RequestId, node: NodeName): void {
    const { recorder, dispatcher } = this.#deps;
    if (this.#unstored.has(id)) dispatcher.control(node, { type: 'stored', id });
    else recorder.confirm(id, node);
  }

  #throwIfRefused(ledger: Ledger, node: NodeName): void {
    const refusal = this.#refusalOf(ledger, node);
    if (refusal !== undefined) throw refusal;
  }

  /** Any agent may have overheard the id of a request. One on a topic may have been heard by nodes that we do not know yet. */
  #refusalOf(ledger: Ledger, node: NodeName | undefined): ServiceManagerError | undefined {
    if (!this.#deps.isSecure || node === undefined || ledger.entry(node) !== undefined) return undefined;
    if (!this.#isByName(ledger.id)) return undefined;
    return new ServiceManagerError(
      'NOT_PERMITTED',
      `${node} speaks of request ${ledger.id}, which it was not sent`,
    );
  }

  #isByName(id: RequestId): boolean {
    const isByName = this.#open.isByName(id);
    if (isByName !== undefined) return isByName;
    const stored = this.#deps.store.request(id);
    return stored === undefined || wasSentByName(dispatchableOf(stored).body);
  }

  #newLedger(id: RequestId, aimedAt: AimedAt, now: number, windowMs: number): Ledger {
    const { members, reach, rollout, denials } = aimedAt;
    const nodes = members.map((member) => aimedNodeOf(member, denials));
    const { v1: anonymous, withheld } = reach;
    if (rollout === undefined)
      return this.#requests.add({ id, nodes, anonymous, withheld, endsAtMs: now + windowMs }, now);
    return this.#rollouts.add({ id, nodes, withheld }, rollout, now);
  }

  /** Says why for those that refuse it already. */
  #refuse(ledger: Ledger, aimedAt: AimedAt): void {
    const { publisher, recorder, clock } = this.#deps;
    const { id } = ledger;
    const refusals = refusalsOf(id, aimedAt);
    if (refusals.size === 0) return;
    for (const entry of ledger.entries()) {
      const payload = refusals.get(entry.node);
      if (payload === undefined) continue;
      publisher.answer(id, payload);
      if (!this.#unstored.has(id)) recorder.answer({ ...entry, id, payload, atWallMs: clock.wallMs() });
    }
  }

  /** `tell`: if that throws it is neither stored nor opened. */
  #store(record: StoredRequest, ledger: Ledger, tell: () => void): void {
    try {
      tell();
      this.#write(record, ledger);
    } catch (error) {
      this.#requests.drop(ledger);
      this.#rollouts.forget(ledger.id);
      throw error;
    }
  }

  #write(record: StoredRequest, ledger: Ledger): void {
    const rollout = this.#rollouts.begun(ledger.id);
    this.#deps.store.openRequest({ ...record, rollout }, ledger.entries());
  }

  #tryToStore(record: StoredRequest, ledger: Ledger, tell: () => void): void {
    tell();
    try {
      this.#write(record, ledger);
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      this.#deps.log.error('store.failed', { id: record.id, error });
      this.#unstored.add(record.id);
      const [oldest] = this.#unstored;
      if (this.#unstored.size > limits.maxOpen && oldest !== undefined) this.#unstored.delete(oldest);
    }
  }

  #load(stored: StoredRequest, isThere?: (node: NodeName) => boolean): Ledger {
    const { clock, store } = this.#deps;
    const now = clock.now();
    const { openedWallMs, endsWallMs } = stored;
    // The clock on the wall may have been set back meanwhile.
    const endsAtMs = now + Math.min(endsWallMs - clock.wallMs(), endsWallMs - openedWallMs);
    const { id, anonymous, withheld, rollout } = stored;
    if (rollout !== undefined) return this.#rollouts.load(stored, rollout, endsAtMs, isThere);
    const ledger = this.#requests.add({ id, nodes: [], anonymous, withheld, endsAtMs }, now);
    ledger.restore(store.entries(id), stored.endedWallMs !== undefined, stored.isCancelled, isThere);
    this.#requests.settle(ledger);
    return ledger;
  }

  /** `cancelled`: by whom, where that is why. */
  #carryOut(effects: readonly RequestEffect[], payload: Buffer | undefined, cancelled?: Signed): void {
    const { clock, publisher, recorder, dispatcher } = this.#deps;
    for (const effect of effects) {
      const { id } = effect;
      if (effect.kind === 'publish' && payload !== undefined) publisher.answer(id, payload);
      else if (effect.kind === 'record' && !this.#unstored.has(id)) {
        const answered = effect.entry.phase === 'done' ? payload : undefined;
        recorder.answer({ ...effect.entry, id, payload: answered, atWallMs: clock.wallMs() });
      } else if (effect.kind === 'ask') {
        const request = this.#open.dispatchable(id);
        if (request !== undefined) dispatcher.ask(request, effect.node, this.#rollouts.endOfBatch(id));
      } else if (effect.kind === 'save') this.#rollouts.save(id, effect.rollout);
      else if (effect.kind === 'cancel') {
        const signed = cancelled ?? this.#open.cancellation(id);
        dispatcher.control(effect.node, { type: 'cancel', id, signed });
      } else if (effect.kind === 'end') this.#end(id);
    }
  }

  #end(id: RequestId): void {
    const ledger = this.#requests.get(id);
    if (ledger === undefined) return;
    const { clock, log, publisher, recorder, audit } = this.#deps;
    this.#ended += 1;
    this.#open.forget(id);
    this.#rollouts.forget(id);
    publisher.end(this.#endOf(ledger));
    if (!this.#unstored.has(id)) recorder.end(id, clock.wallMs());
    log.info('request.ended', { id, ...ledger.counts(), isCancelled: ledger.isCancelled });
    audit.ended(ledger);
  }

  #endOf(ledger: Ledger): RequestEnd {
    const outcomes = ledger
      .entries()
      .flatMap(({ node, outcome }) => (outcome === undefined ? [] : [{ node, outcome }]));
    const { id: uuid, withheld, isCancelled } = ledger;
    const stopped = this.#requests.progress(uuid)?.stop?.text;
    return {
      ...{ uuid, outcomes, unnamed: ledger.anonymousMissing, withheld, isCancelled },
      ...(stopped === undefined ? {} : { stopped }),
    };
  }
}
