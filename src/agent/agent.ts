import { Progress } from '../core/progress.ts';
import { Rejects } from '../core/rejects.ts';
import { type Cancel, type Clock, sleep } from '../platform/clock.ts';
import { Closing } from '../platform/closing.ts';
import type { HostFacts } from '../platform/host.ts';
import type { Log } from '../platform/log.ts';
import { serve } from '../platform/serve.ts';
import {
  type Decide,
  type HandshakeFailure,
  handshakeFailures,
  type ServerSecurity,
} from '../platform/socket-security.ts';
import type { Socket, Sockets } from '../platform/sockets.ts';
import type { Provider } from '../provider/provider.ts';
import { type CurveKeys, curveBytes } from '../security/keys.ts';
import type { KnownManager } from '../security/known-manager.ts';
import type { Journal } from '../store/journal.ts';
import type { Dispatch } from '../wire/dispatch.ts';
import { type ErrorCode, isErrorCode, type ServiceManagerError } from '../wire/errors.ts';
import { actions, type NodeName, type RequestId, type Topic } from '../wire/fields.ts';
import { answerManagement, type ManagementHandlers } from '../wire/management.ts';
import type { BootId, Hello } from '../wire/presence.ts';
import type { ProtocolVersion } from '../wire/topic.ts';
import { AgentAudit, type AuditLog } from './agent-audit.ts';
import { Answers } from './answers.ts';
import { Credentials } from './credentials.ts';
import { Gate, type GateRules } from './gate.ts';
import type { HealthChecks } from './health.ts';
import { helloOf } from './hello.ts';
import { Link } from './link.ts';
import { type AgentCounters, managementHandlers } from './management.ts';
import { Presence } from './presence.ts';
import { RequestDesk } from './requests.ts';
import { Tasks } from './tasks.ts';
import { topicsOf } from './topics.ts';

export interface AgentConfig {
  /** Pairwise: the backend and the sink of each manager served. */
  readonly managerEndpoints: readonly string[];
  readonly sinkEndpoints: readonly string[];
  readonly mgmtEndpoint: string;
  /** In place of the host name. */
  readonly nodeName: NodeName | undefined;
  readonly roles: readonly string[];
  readonly topics: readonly Topic[];
  readonly protocol: ProtocolVersion;
  readonly actionTimeoutMs: number;
  readonly extraActions: readonly string[];
}

export interface AgentDeps {
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly log: Log;
  readonly host: HostFacts;
  readonly provider: Provider;
  /** As the configuration names it; shown by `agent.status`. */
  readonly providerName?: string;
  readonly health: HealthChecks;
  readonly journal: Journal;
  /** Undefined: whoever reaches the agent is obeyed. */
  readonly security?: AgentSecurity | undefined;
  /** Whose requests count, and what the policy of this host lets them do. */
  readonly rules: GateRules;
  /** Where it is written down what was asked of this host; undefined: nowhere. */
  readonly audit?: AuditLog | undefined;
  /** New at every start. */
  readonly boot: BootId;
  /** From 0 up to, but not including 1. */
  readonly random: () => number;
}

/** What an agent with security has beside all others. */
export interface AgentSecurity {
  readonly own: CurveKeys;
  /** Those that may be at the other end of each link, in the order of the endpoints. */
  readonly managers: ReadonlyArray<readonly KnownManager[]>;
  /** A manager is known by another key from now on. */
  readonly keep: (manager: KnownManager) => void;
}

/** What a running agent takes over at once. */
export interface LiveConfig extends Pick<AgentConfig, 'roles' | 'topics'> {
  readonly rules: GateRules;
  /** Its own keys; read only where there is security. */
  readonly own: CurveKeys | undefined;
}

const tickMs = 250;
const saveHeadMs = 1_000;
/** A run of an agent begins behind all numbers of the one before, unless that sent 64 messages in each millisecond. */
const numbersPerMs = 64;
const maxTasks = 1_000;
const lingerMs = 1_000;
// Together with the linger time of the sockets this stays under the 10 s that a stop may take.
const drainMs = 8_000;

/** The one loop of the agent: what its managers send goes to the desks, which are driven with time. */
export class Agent {
  readonly #config: AgentConfig;
  readonly #deps: AgentDeps;
  readonly #closing = new Closing();
  readonly #node: NodeName;
  readonly #tasks: Tasks;
  readonly #gate: Gate;
  readonly #audit: AgentAudit;
  readonly #requests: RequestDesk;
  readonly #presence: Presence;
  readonly #links: Link[] = [];
  readonly #rejects = new Rejects();
  readonly #startedAtMs: number;
  readonly #startedWallMs: number;
  readonly #progress = new Progress();
  readonly #tally = { requests: 0, foreignTopics: 0 };
  #roles: readonly string[];
  #topics: ReadonlySet<Topic>;
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
    const agent = new Agent(config, deps);
    try {
      await agent.#open();
      return agent;
    } catch (error) {
      await agent.#closing.close();
      throw error;
    }
  }

  private constructor(config: AgentConfig, deps: AgentDeps) {
    const { clock, log, journal, boot, random, host, provider, health } = deps;
    this.#config = config;
    this.#deps = deps;
    this.#node = config.nodeName ?? (host.hostname as NodeName);
    this.#roles = config.roles;
    this.#topics = topicsOf({ node: this.#node, host, roles: config.roles, topics: config.topics });
    this.#startedAtMs = clock.now();
    this.#startedWallMs = clock.wallMs();
    this.#sequence = Math.floor(this.#startedWallMs) * numbersPerMs;
    this.finished = new Promise((resolve, reject) => {
      this.#stop = resolve;
      this.#fail = reject;
    });
    const answers = new Answers(this.#node, host);
    const tasks = new Tasks({
      ...{ provider, health, clock, answers },
      actions: new Set([...actions, ...config.extraActions]),
      actionTimeoutMs: config.actionTimeoutMs,
      maxTasks,
    });
    const fail = (error: unknown) => this.#fail(error);
    this.#tasks = tasks;
    this.#audit = new AgentAudit(deps.audit, log);
    this.#gate = new Gate({
      ...{ clock, rules: deps.rules, node: this.#node, topics: () => this.#topics },
      namesOf: (service) => provider.namesOf?.(service) ?? [service],
    });
    const [gate, audit] = [this.#gate, this.#audit];
    this.#requests = new RequestDesk({
      clock,
      log,
      journal,
      tasks,
      answers,
      gate,
      audit,
      boot,
      random,
      fail,
    });
    this.#presence = new Presence({ clock, log, random, boot, hello: () => this.#hello() });
  }

  get counters(): AgentCounters {
    return {
      ...this.#tally,
      tasks: this.#tasks.count,
      undelivered: this.#requests.undelivered,
      auditEventsLost: this.#audit.lost,
      framesRejected: this.#rejects.count,
      messagesDropped: this.#links.reduce((sum, link) => sum + link.dropped, this.#requests.givenUp),
    };
  }

  /** Listens to other topics from now on, and tells its managers; goes by other rules, and by other keys of its own. */
  reconfigure({ roles, topics, rules, own }: LiveConfig): void {
    this.#gate.replace(rules);
    if (own !== undefined) for (const link of this.#links) link.replaceOwnKeys(own);
    this.#listenTo({ roles, topics });
  }

  #listenTo({ roles, topics }: Pick<AgentConfig, 'roles' | 'topics'>): void {
    const { host, log } = this.#deps;
    const listened = topicsOf({ node: this.#node, host, roles, topics });
    // The same topic may come from a role or stand for itself.
    if (isSame(listened, this.#topics) && isSame(new Set(roles), new Set(this.#roles))) return;
    this.#roles = roles;
    this.#topics = listened;
    for (const link of this.#links) link.listenTo(this.#topics);
    this.#presence.changed();
    log.info('agent.topics_changed', { topics: [...this.#topics] });
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

  async #open(): Promise<void> {
    const { sockets, log, security } = this.#deps;
    const { managerEndpoints, sinkEndpoints, mgmtEndpoint } = this.#config;
    const managed = security === undefined ? {} : { security: managementSecurity(security.own) };
    if (security !== undefined) sockets.authenticate(isOwner(security.own));
    const management = this.#closing.add(await sockets.bindReply(mgmtEndpoint, { lingerMs, ...managed }));
    const handlers = this.#managementHandlers();
    this.#serve(serve(management, (frames) => this.#onManagement(management, handlers, frames)));
    for (const [index, managerEndpoint] of managerEndpoints.entries()) {
      const link = this.#connect(index, managerEndpoint, sinkEndpoints[index] ?? '');
      this.#links.push(this.#closing.add(link));
    }
    this.#requests.restore(this.#links);
    for (const link of this.#links) this.#listen(link);
    this.#tick();
    this.#audit.event('agent.started', {
      node: this.#node,
      security: security === undefined ? 'none' : 'curve',
    });
    log.info('agent.started', {
      node: this.#node,
      topics: [...this.#topics],
      managerEndpoints,
      sinkEndpoints,
      mgmtEndpoint,
    });
  }

  #connect(index: number, managerEndpoint: string, sinkEndpoint: string): Link {
    const { sockets, log, security } = this.#deps;
    const managers = security?.managers[index];
    return new Link({
      sockets,
      managerEndpoint,
      sinkEndpoint,
      node: this.#node,
      topics: this.#topics,
      protocol: this.#config.protocol,
      nextSequence: () => this.#sequence++,
      credentials:
        security === undefined || managers === undefined
          ? undefined
          : new Credentials({ own: security.own, managers, keep: security.keep }),
      onRefused: (failure) => this.#notLetIn(sinkEndpoint, failure),
    });
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
        return this.#requests.conflict(dispatch.boots);
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

  /** Said once for each manager and reason, until the agent is let in: it is tried for ever. */
  #notLetIn(manager: string, failure: HandshakeFailure): void {
    const reject = {
      door: 'handshake',
      peer: manager,
      code: 'UNAUTHENTICATED',
      reason: handshakeFailures[failure],
    } as const;
    const fields = this.#rejects.add(reject, this.#deps.clock.now());
    if (fields !== undefined)
      this.#deps.log.warn('manager.refuses', { manager, failure, reason: fields.reason });
  }

  #tick(): void {
    const now = this.#deps.clock.now();
    this.#requests.tick();
    this.#progress.ticked();
    if (now >= this.#nextSaveHeadMs) {
      this.#nextSaveHeadMs = now + saveHeadMs;
      this.#audit.saveHead();
    }
    for (const link of this.#presence.silent()) this.#own(link.reopen());
    this.#cancelTick = this.#deps.clock.after(tickMs, 'agent tick', () => this.#tick());
  }

  #hello(): Hello {
    const { host, boot } = this.#deps;
    const [roles, topics] = [[...this.#roles], [...this.#topics]];
    return helloOf(host, { node: this.#node, boot, roles, topics, startedAtMs: this.#startedWallMs });
  }

  #managementHandlers(): ManagementHandlers {
    const { managerEndpoints, sinkEndpoints, mgmtEndpoint } = this.#config;
    return managementHandlers({
      ...{ managerEndpoints, sinkEndpoints, mgmtEndpoint },
      node: this.#node,
      topics: () => this.#topics,
      host: this.#deps.host,
      providerName: this.#deps.providerName,
      security: this.#deps.security,
      audit: this.#audit,
      uptimeMs: () => this.#deps.clock.now() - this.#startedAtMs,
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
    this.#audit.event('agent.stopped', {});
    this.#audit.saveHead();
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
    if (fields !== undefined) this.#deps.log.warn('message.rejected', { ...fields });
  }
}

function isSame<Item>(one: ReadonlySet<Item>, other: ReadonlySet<Item>): boolean {
  return one.size === other.size && [...one].every((item) => other.has(item));
}

/** Whoever has the agent's own secret key may manage it: who can read its key file. */
function managementSecurity({ publicKey, secretKey }: CurveKeys): ServerSecurity {
  return {
    ...{ kind: 'server', domain: 'management' },
    ...{ publicKey: curveBytes(publicKey), secretKey: curveBytes(secretKey) },
  };
}

function isOwner({ publicKey }: CurveKeys): Decide {
  const own = curveBytes(publicKey);
  return (peer) => peer.publicKey.equals(own);
}
