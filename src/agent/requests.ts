import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Journal } from '../store/journal.ts';
import type { Signed } from '../wire/dispatch.ts';
import { type ErrorCode, isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import type { RequestId } from '../wire/fields.ts';
import type { AckPhase, BootId } from '../wire/presence.ts';
import { isRepeatable, type RequestBody } from '../wire/request.ts';
import { type Answer, Answer as AnswerMessage } from '../wire/result.ts';
import type { Answers } from './answers.ts';
import type { Gate } from './gate.ts';
import type { Link } from './link.ts';
import { Outbox } from './outbox.ts';
import { OutputFeed } from './output-feed.ts';
import type { RequestAudit } from './request-audit.ts';
import type { Tasks } from './tasks.ts';

export interface RequestDeskDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly journal: Journal;
  readonly tasks: Tasks;
  readonly answers: Answers;
  readonly gate: Gate;
  readonly audit: RequestAudit;
  readonly boot: BootId;
  readonly random: () => number;
  /** A bug of ours came up: the agent cannot go on. */
  readonly fail: (error: unknown) => void;
}

/** A request that is in work, or whose answer is. */
interface Known {
  readonly body: RequestBody;
  readonly cancel: AbortController;
  /** Who wants the answer. */
  readonly links: Set<Link>;
  phase: AckPhase;
}

interface Refusal {
  readonly code: ErrorCode;
  readonly reason: string;
}

// Clocks of two hosts may differ by this much before a request in time counts as late.
const clockSkewMs = 30_000;
// Three pulses without another warning.
const conflictMs = 20_000;
const outboxLimits = { firstPauseMs: 1_000, longestPauseMs: 30_000, maxBytes: 64 * 1024 * 1024 };
const pruneMs = 60_000;
const journalBounds = { maxAgeMs: 7 * 86_400_000, maxEntries: 100_000 };

/**
 * Sees to it that a request runs at most once and that its answer arrives: known ids get what is known of them, what
 * changes a service is journaled before it starts, and answers are sent until a manager has stored them.
 */
export class RequestDesk {
  readonly #deps: RequestDeskDeps;
  readonly #known = new Map<RequestId, Known>();
  readonly #outbox: Outbox;
  readonly #links = new Map<string, Link>();
  /** Until when the requests of a manager are refused that has warned of another agent. */
  readonly #conflicts = new Map<Link, number>();
  #nextPruneMs = 0;

  constructor(deps: RequestDeskDeps) {
    this.#deps = deps;
    this.#outbox = new Outbox(outboxLimits, deps.random);
  }

  get undelivered(): number {
    return this.#outbox.count;
  }

  get givenUp(): number {
    return this.#outbox.givenUp;
  }

  /** Takes up what an earlier run of this agent left: tells of what it did not end, sends what was not stored. */
  restore(links: readonly Link[]): void {
    const { journal, log, answers, clock } = this.#deps;
    for (const link of links) this.#links.set(link.name, link);
    for (const { id, service, action } of journal.interrupted()) {
      log.warn('request.interrupted', { id, service, action });
      const reason = `the agent was stopped while ${service} ${action} was running; how it ended is not known`;
      const payload = AnswerMessage.encode(answers.trouble(id, 'INTERRUPTED', reason));
      // Which manager asked is not known any more: those that did not will not mind.
      const managers = [...this.#links.keys()];
      const isKept = this.#journaled(id, () => journal.finish(id, payload, managers, clock.wallMs()));
      if (!isKept) for (const link of links) this.#send(id, payload, link);
    }
    for (const { id, payload, manager } of journal.undelivered()) {
      const link = this.#links.get(manager);
      if (link === undefined) this.#journaled(id, () => journal.delivered(id, manager));
      else this.#send(id, payload, link);
    }
  }

  /** `signed`: the body as its client wrote it, and who says so. */
  receive(body: RequestBody, signed: Signed | undefined, link: Link): void {
    const { id } = body;
    const known = this.#known.get(id);
    if (known?.links.has(link) === true) return this.#again(known, link);
    // Nobody is told of what runs for another manager only because he knows its id.
    const refusal = known === undefined ? this.#refusal(body, link) : undefined;
    if (refusal !== undefined) return this.#turnAway(body, refusal, link);
    const pass = this.#deps.gate.request(body, signed, link.managerName);
    if (!pass.isGood) return this.#turnAway(body, pass, link);
    if (known !== undefined) return this.#again(known, link);
    const write = (): void => this.#deps.audit.received(body, pass, link.managerName);
    const isJournaled = !isRepeatable(body);
    if (isJournaled && !this.#mayBegin(id, link, write)) return;
    this.#run(body, link);
    // Its answer need not wait for that.
    if (!isJournaled) write();
  }

  /**
   * Ends it if it runs, keeps it from starting if it does not, and sees to it that the manager learns so. `signed`: the
   * query of who cancelled it.
   */
  cancel(id: RequestId, signed: Signed | undefined, link: Link): void {
    const { journal, clock, log, gate, audit } = this.#deps;
    const known = this.#known.get(id);
    if (known?.phase === 'running' && !gate.mayEnd(known.body, signed)) {
      log.warn('cancel.refused', { id, reason: 'no operator who might have begun it here has signed that' });
      return audit.refusedCancel(id, link.managerName);
    }
    log.info('request.cancelled', { id, phase: known?.phase ?? 'unknown' });
    if (known !== undefined) return known.cancel.abort();
    // Then its answer is on its way.
    if (this.#outbox.isWaiting(id, link.name)) return;
    this.#journaled(id, () => {
      journal.cancel(id, clock.wallMs());
      this.#recall(id, link);
    });
  }

  /** Answers a message that was turned away at the door, where it was logged. */
  refused(id: RequestId, code: ErrorCode, reason: string, link: Link): void {
    this.#send(id, AnswerMessage.encode(this.#deps.answers.trouble(id, code, reason)), link);
  }

  stored(id: RequestId, link: Link): void {
    if (this.#outbox.delivered(id, link.name)) this.#delivered(id, link);
  }

  /** Another agent uses our name: we do not serve the manager that says so until that is over. One that lies keeps us from no other. */
  conflict(boots: readonly BootId[], link: Link): void {
    const { clock, log, boot } = this.#deps;
    if (!this.#isInConflict(link)) log.error('node.name_conflict', { boots, ours: boot, manager: link.name });
    this.#conflicts.set(link, clock.now() + conflictMs);
  }

  tick(): void {
    const now = this.#deps.clock.now();
    for (const { id, payload, manager } of this.#outbox.due(now))
      this.#links.get(manager)?.report.result(id, payload);
    if (now < this.#nextPruneMs) return;
    this.#nextPruneMs = now + pruneMs;
    this.#journaled(undefined, () => this.#deps.journal.prune(journalBounds, this.#deps.clock.wallMs()));
  }

  #isInConflict(link: Link): boolean {
    return this.#deps.clock.now() < (this.#conflicts.get(link) ?? Number.NEGATIVE_INFINITY);
  }

  #refusal(body: RequestBody, link: Link): Refusal | undefined {
    if (!this.#isInConflict(link)) return this.#expiry(body);
    return {
      code: 'NAME_CONFLICT',
      reason: 'another agent uses the name of this node; neither is served until one is renamed',
    };
  }

  #expiry({ notAfterMs }: RequestBody): Refusal | undefined {
    const lateMs = notAfterMs === undefined ? 0 : this.#deps.clock.wallMs() - notAfterMs;
    if (lateMs <= clockSkewMs) return undefined;
    return {
      code: 'REQUEST_EXPIRED',
      reason: `the time of the request was over ${Math.round(lateMs / 1_000)} s before it could begin`,
    };
  }

  /** Not what is known already, and not what cannot be written down. */
  #mayBegin(id: RequestId, link: Link, write: () => void): boolean {
    try {
      if (this.#recall(id, link)) return false;
      write();
      return true;
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      this.#refuse(id, error.code, error.message, link);
      return false;
    }
  }

  #turnAway(body: RequestBody, { code, reason }: Refusal, link: Link): void {
    this.#deps.audit.refused(body, code, reason, link.managerName);
    this.#refuse(body.id, code, reason, link);
  }

  /** Answers with what the journal knows of it. False when it knows nothing. */
  #recall(id: RequestId, link: Link): boolean {
    const entry = this.#deps.journal.find(id);
    if (entry === undefined) return false;
    if (entry.payload !== undefined) this.#owe(id, entry.payload, link);
    else if (entry.state === 'cancelled')
      this.#refuse(id, 'CANCELLED', 'the request was cancelled before it began', link);
    else
      this.#refuse(id, 'INTERRUPTED', 'the request was begun before; how it ended was not journaled', link);
    return true;
  }

  #again(known: Known, link: Link): void {
    known.links.add(link);
    link.report.acknowledge(known.body.id, known.phase);
  }

  #run(body: RequestBody, link: Link): void {
    const { tasks, log } = this.#deps;
    const { id, cmd: action, service } = body;
    const phase: AckPhase = tasks.isBusy(service) ? 'queued' : 'running';
    const known: Known = { body, cancel: new AbortController(), links: new Set([link]), phase };
    this.#known.set(id, known);
    log.info('request.received', { id, action, service, phase });
    link.report.acknowledge(id, phase);
    const feed = body.follow === true ? this.#feed(known) : undefined;
    const watch = feed === undefined ? {} : { onOutput: feed.onOutput };
    const hooks = { begin: () => this.#begin(known), signal: known.cancel.signal, ...watch };
    tasks
      .run(body, hooks)
      .finally(() => feed?.close())
      .then((answer) => this.#finish(known, answer))
      .catch(this.#deps.fail);
  }

  #feed({ body: { id }, links }: Known): OutputFeed {
    const { clock, answers } = this.#deps;
    return new OutputFeed({
      ...{ clock, node: answers.node },
      send: (piece) => {
        for (const link of links) link.report.output(id, piece);
      },
    });
  }

  #begin(known: Known): void {
    const { id, service, cmd: action } = known.body;
    // It may have waited long for its turn.
    const expiry = this.#expiry(known.body);
    if (expiry !== undefined) throw new ServiceManagerError(expiry.code, expiry.reason);
    if (!isRepeatable(known.body)) {
      const isNew = this.#deps.journal.start({ id, service, action, atWallMs: this.#deps.clock.wallMs() });
      if (!isNew) throw new ServiceManagerError('CANCELLED', `request ${id} was cancelled or run before`);
    }
    if (known.phase === 'running') return;
    known.phase = 'running';
    for (const link of known.links) link.report.acknowledge(id, 'running');
  }

  #finish(known: Known, answer: Answer): void {
    const { id } = known.body;
    const { journal, clock, log } = this.#deps;
    const payload = AnswerMessage.encode(answer);
    const outcome = 'result' in answer ? { returncode: answer.result.returncode } : { code: answer.code };
    log.info('request.answered', { id, ...outcome });
    const confirmed = [...known.links].filter((link) => link.report.isConfirmed).map((link) => link.name);
    if (!isRepeatable(known.body))
      this.#journaled(id, () => journal.finish(id, payload, confirmed, clock.wallMs()));
    this.#known.delete(id);
    for (const link of known.links) this.#send(id, payload, link);
    this.#deps.audit.answered(id, outcome);
  }

  /** The journal has the answer already: one more manager wants it, or the same one again. */
  #owe(id: RequestId, payload: Buffer, link: Link): void {
    if (link.report.isConfirmed) this.#journaled(id, () => this.#deps.journal.owe(id, link.name));
    this.#send(id, payload, link);
  }

  #refuse(id: RequestId, code: ErrorCode, reason: string, link: Link): void {
    this.#deps.log.warn('request.refused', { id, code, reason });
    this.refused(id, code, reason, link);
  }

  #send(id: RequestId, payload: Buffer, link: Link): void {
    if (link.report.isConfirmed)
      this.#outbox.add({ id, payload, manager: link.name }, this.#deps.clock.now());
    link.report.result(id, payload);
  }

  #delivered(id: RequestId, link: Link): void {
    this.#journaled(id, () => this.#deps.journal.delivered(id, link.name));
  }

  /** The answer is on its way in any case; without a journal it only may not outlive this process. */
  #journaled(id: RequestId | undefined, write: () => unknown): boolean {
    try {
      write();
      return true;
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      this.#deps.log.error('journal.failed', { id, error });
      return false;
    }
  }
}
