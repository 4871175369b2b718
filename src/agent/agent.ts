import { Progress } from '../core/progress.ts';
import { Rejects } from '../core/rejects.ts';
import { type Cancel, sleep } from '../platform/clock.ts';
import { Closing } from '../platform/closing.ts';
import { serve } from '../platform/serve.ts';
import { type HandshakeFailure, handshakeFailures } from '../platform/socket-security.ts';
import type { Socket } from '../platform/sockets.ts';
import type { CurveKeys } from '../security/keys.ts';
import { Auditor } from '../store/auditor.ts';
import type { Dispatch } from '../wire/dispatch.ts';
import { type ErrorCode, isErrorCode, type ServiceManagerError } from '../wire/errors.ts';
import { actions, type NodeName, type RequestId } from '../wire/fields.ts';
import { answerManagement, type ManagementHandlers } from '../wire/management.ts';
import type { AgentConfig, AgentDeps, LiveConfig } from './agent-config.ts';
import { Answers } from './answers.ts';
import { Gate } from './gate.ts';
import { keepingManagers } from './kept-managers.ts';
import type { Link } from './link.ts';
import { Links } from './links.ts';
import { type AgentCounters, managementHandlers } from './management.ts';
import { ManagementDoor } from './management-door.ts';
import { Presence } from './presence.ts';
import { RequestAudit } from './request-audit.ts';
import { RequestDesk } from './requests.ts';
import { Self } from './self.ts';
import { Tasks } from './tasks.ts';

const tickMs = 250;
const saveHeadMs = 1_000;
/** A run of an agent begins behind all numbers of the one before, unless that sent 64 messages in each millisecond. */
const numbersPerMs = 64;
const maxTasks = 1_000;
// Together with the linger time of the sockets this stays under the 10 s that a stop may take.
const drainMs = 8_000;

/** The one loop of the agent: what its managers send goes to the desks, which are driven with time. */
export class Agent {
  readonly #config: AgentConfig;
  readonly #deps: AgentDeps;
  readonly #closing: Closing;
  readonly #door: ManagementDoor;
  readonly #self: Self;
  readonly #tasks: Tasks;
  readonly #gate: Gate;
  readonly #auditor: Auditor;
  readonly #requests: RequestDesk;
  readonly #presence: Presence;
  readonly #links: Links;
  readonly #rejects = new Rejects();
  readonly #startedAtMs: number;
  readonly #progress = new Progress();
  readonly #tally = { requests: 0, foreignTopics: 0 };
  #sequence: number;
  #nextSaveHeadMs = 0;
  #cancelTick: Cancel = () => {};
  #closed: Promise<void> | undefined;
  #stop: () => void = () => {};
  #fail: (error: unknown) => void = () => {};

  /** Resolves when `agent.shutdown` was asked for; rejects when a loop failed. */
  readonly finished: Promise<void>;

  /** Resolves when the management socket is bound and all managers are being connected to. Rejects with ENDPOINT_UNUSABLE. */
  static async start(config: AgentConfig, deps: AgentDeps): Promise<Agent> {
    const closing = new Closing();
    try {
      const door = await ManagementDoor.open(deps.sockets, config.mgmtEndpoint, deps.security?.own);
      return new Agent(config, deps, closing, closing.add(door));
    } catch (error) {
      await closing.close();
      throw error;
    }
  }

  private constructor(config: AgentConfig, deps: AgentDeps, closing: Closing, door: ManagementDoor) {
    const { clock, log, journal, boot, random, host, provider, health, sockets, security } = deps;
    const { nodeName: node = host.hostname as NodeName, roles, topics } = config;
    this.#config = config;
    this.#deps = deps;
    this.#closing = closing;
    this.#door = door;
    this.#startedAtMs = clock.now();
    const startedAtMs = clock.wallMs();
    this.#sequence = Math.floor(startedAtMs) * numbersPerMs;
    this.#self = new Self({ node, host, boot, roles, topics, startedAtMs });
    this.finished = new Promise((resolve, reject) => {
      this.#stop = resolve;
      this.#fail = reject;
    });
    const answers = new Answers(node, host);
    const tasks = new Tasks({
      ...{ provider, health, clock, answers },
      actions: new Set([...actions, ...config.extraActions]),
      actionTimeoutMs: config.actionTimeoutMs,
      maxTasks,
    });
    const auditor = new Auditor(deps.audit, log, clock);
    const gate = new Gate({
      ...{ clock, node, rules: deps.rules, topics: () => this.#self.topics },
      namesOf: (service) => provider.namesOf?.(service) ?? [service],
    });
    const fail = (error: unknown) => this.#fail(error);
    const kept = { clock, log, journal, answers, boot, random, fail };
    this.#tasks = tasks;
    this.#auditor = auditor;
    this.#gate = gate;
    this.#requests = new RequestDesk({ ...kept, tasks, gate, audit: new RequestAudit(auditor) });
    this.#presence = new Presence({ clock, log, random, boot, hello: () => this.#self.hello() });
    const links = new Links({
      ...{ config, sockets, node, topics: this.#self.topics },
      security: security && { ...security, keep: keepingManagers(security.keep, { log, auditor }) },
      nextSequence: () => this.#sequence++,
      onRefused: (manager, failure) => this.#notLetIn(manager, failure),
    });
    this.#links = closing.add(links);
    this.#run();
  }

  get counters(): AgentCounters {
    return {
      ...this.#tally,
      tasks: this.#tasks.count,
      undelivered: this.#requests.undelivered,
      framesRejected: this.#rejects.count,
      messagesDropped: this.#links.dropped + this.#requests.givenUp,
      auditEventsLost: this.#auditor.lost,
    };
  }

  /**
   * Listens to other topics from now on, and tells its managers; goes by other rules, and by other keys of its own. Rejects
   * with ENDPOINT_UNUSABLE when its management socket is lost over that.
   */
  async reconfigure({ roles, topics, rules, own }: LiveConfig): Promise<void> {
    this.#gate.replace(rules);
    this.#auditor.event('policy.loaded', { rules: rules.policy.rules.length, trust: rules.trust.kind });
    if (own !== undefined) await this.#replaceOwnKeys(own);
    if (!this.#self.change({ roles, topics })) return;
    this.#links.listenTo(this.#self.topics);
    this.#presence.changed();
    this.#deps.log.info('agent.topics_changed', { topics: [...this.#self.topics] });
  }

  /** True when its loops have done something since the last call. */
  hasProgressed(): boolean {
    return this.#progress.take();
  }

  /** Takes nothing new, lets running actions finish or answers for them, and closes. Ends within 10 s; twice is harmless. */
  close(): Promise<void> {
    this.#closed ??= this.#drainAndClose();
    return this.#closed;
  }

  #run(): void {
    const { log, security } = this.#deps;
    const { managerEndpoints, sinkEndpoints, mgmtEndpoint } = this.#config;
    const { socket } = this.#door;
    const handlers = this.#managementHandlers();
    this.#serve(serve(socket, (frames) => this.#onManagement(socket, handlers, frames)));
    this.#requests.restore(this.#links.all);
    for (const link of this.#links.all) this.#listen(link);
    this.#tick();
    const { node, topics } = this.#self;
    this.#auditor.event('agent.started', { node, security: security === undefined ? 'none' : 'curve' });
    const endpoints = { managerEndpoints, sinkEndpoints, mgmtEndpoint };
    log.info('agent.started', { node, topics: [...topics], ...endpoints });
  }

  async #replaceOwnKeys(own: CurveKeys): Promise<void> {
    this.#links.replaceOwnKeys(own);
    await this.#door.replaceOwnKeys(own);
  }

  #listen(link: Link): void {
    this.#presence.start(link);
    const listening = link.listen({
      onDispatch: (dispatch) => this.#onDispatch(link, dispatch),
      onRejected: (error, id) => this.#onRejected(link, error, id),
      onForeignTopic: (topic) => {
        this.#tally.foreignTopics += 1;
        this.#deps.log.debug('request.not_meant_for_us', { topic });
      },
    });
    this.#serve(listening);
  }

  #onDispatch(link: Link, dispatch: Dispatch): void {
    switch (dispatch.type) {
      case 'request':
        this.#tally.requests += 1;
        return this.#requests.receive(dispatch.body, dispatch.signed, link);
      case 'cancel':
        return this.#requests.cancel(dispatch.id, dispatch.signed, link);
      case 'stored':
        return this.#requests.stored(dispatch.id, link);
      case 'conflict':
        return this.#requests.conflict(dispatch.boots, link);
      case 'who':
        return this.#presence.asked(link);
      case 'pulse':
        if (dispatch.nextKey !== undefined) link.announced(dispatch.nextKey);
        return this.#presence.pulse(link);
    }
  }

  #onRejected(link: Link, { code, message }: ServiceManagerError, id: RequestId | undefined): void {
    this.#reject('backend', link.name, code, message);
    if (id !== undefined) this.#requests.refused(id, code, message, link);
  }

  /** It is tried for ever, so that it is said once a minute is enough. */
  #notLetIn(manager: string, failure: HandshakeFailure): void {
    this.#reject('handshake', manager, 'UNAUTHENTICATED', handshakeFailures[failure]);
  }

  #tick(): void {
    const { clock } = this.#deps;
    this.#requests.tick();
    this.#progress.ticked();
    if (clock.now() >= this.#nextSaveHeadMs) this.#saveHead();
    for (const link of this.#presence.silent()) this.#own(link.reopen());
    this.#cancelTick = clock.after(tickMs, 'agent tick', () => this.#tick());
  }

  #saveHead(): void {
    this.#nextSaveHeadMs = this.#deps.clock.now() + saveHeadMs;
    this.#auditor.saveHead();
  }

  #managementHandlers(): ManagementHandlers {
    const { clock, host, pid, providerName } = this.#deps;
    const { managerEndpoints, sinkEndpoints, mgmtEndpoint } = this.#config;
    return managementHandlers({
      ...{ managerEndpoints, sinkEndpoints, mgmtEndpoint, host, pid, providerName },
      ...{ self: this.#self, auditor: this.#auditor, security: () => this.#links.security },
      uptimeMs: () => clock.now() - this.#startedAtMs,
      counters: () => this.counters,
      stop: () => this.#stop(),
    });
  }

  #onManagement(socket: Socket, handlers: ManagementHandlers, frames: readonly Buffer[]): void {
    const { reply, refusal } = answerManagement(frames, handlers);
    socket.send([Buffer.from(JSON.stringify(reply))]);
    if (isErrorCode(refusal?.code)) this.#reject('management', '', refusal.code, refusal.msg);
  }

  async #drainAndClose(): Promise<void> {
    const { clock, log } = this.#deps;
    log.info('agent.stopping', { tasks: this.#tasks.count });
    const limit = new AbortController();
    await Promise.race([this.#tasks.drain(), sleep(clock, drainMs, limit.signal)]);
    limit.abort();
    this.#tasks.conclude();
    await sleep(clock, 0);
    this.#tasks.interrupt();
    // Answers are handed to their sockets in the turn after they are known.
    await sleep(clock, 0);
    this.#cancelTick();
    this.#presence.stop();
    await this.#closing.close();
    this.#auditor.event('agent.stopped', {});
    this.#auditor.saveHead();
    log.info('agent.stopped', { undelivered: this.#requests.undelivered });
  }

  /** A loop that should last as long as the agent. */
  #serve(loop: Promise<void>): void {
    this.#own(loop.then(() => this.#progress.stoppedServing()));
  }

  #own(loop: Promise<void>): void {
    loop.catch((error) => this.#fail(error));
  }

  #reject(door: string, peer: string, code: ErrorCode, reason: string): void {
    const fields = this.#rejects.add({ door, peer, code, reason }, this.#deps.clock.now());
    if (fields === undefined) return;
    this.#deps.log.warn('message.rejected', { ...fields });
    this.#auditor.event('message.rejected', { ...fields });
  }
}
