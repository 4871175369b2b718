import { Progress } from '../core/progress.ts';
import { Rejects } from '../core/rejects.ts';
import { type Cancel, type Clock, sleep } from '../platform/clock.ts';
import { Closing } from '../platform/closing.ts';
import type { HostFacts } from '../platform/host.ts';
import type { Log } from '../platform/log.ts';
import { serve } from '../platform/serve.ts';
import type { Socket, Sockets } from '../platform/sockets.ts';
import type { Provider } from '../provider/provider.ts';
import type { Journal } from '../store/journal.ts';
import type { Dispatch } from '../wire/dispatch.ts';
import { type ErrorCode, isErrorCode, type ServiceManagerError } from '../wire/errors.ts';
import { actions, type NodeName, type RequestId, type Topic } from '../wire/fields.ts';
import { answerManagement, type ManagementHandlers } from '../wire/management.ts';
import type { BootId, Hello } from '../wire/presence.ts';
import type { ProtocolVersion } from '../wire/topic.ts';
import { Answers } from './answers.ts';
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
  /** New at every start. */
  readonly boot: BootId;
  /** From 0 up to, but not including 1. */
  readonly random: () => number;
}

const tickMs = 250;
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
  #sequence = 0;
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
    this.#requests = new RequestDesk({ clock, log, journal, tasks, answers, boot, random, fail });
    this.#presence = new Presence({ clock, log, random, boot, hello: () => this.#hello() });
  }

  get counters(): AgentCounters {
    return {
      ...this.#tally,
      tasks: this.#tasks.count,
      undelivered: this.#requests.undelivered,
      framesRejected: this.#rejects.count,
      messagesDropped: this.#links.reduce((sum, link) => sum + link.dropped, this.#requests.givenUp),
    };
  }

  /** Listens to other topics from now on, and tells its managers. */
  reconfigure({ roles, topics }: Pick<AgentConfig, 'roles' | 'topics'>): void {
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
    const { sockets, log } = this.#deps;
    const { managerEndpoints, sinkEndpoints, mgmtEndpoint } = this.#config;
    const management = this.#closing.add(await sockets.bindReply(mgmtEndpoint, { lingerMs }));
    const handlers = this.#managementHandlers();
    this.#serve(serve(management, (frames) => this.#onManagement(management, handlers, frames)));
    for (const [index, managerEndpoint] of managerEndpoints.entries()) {
      this.#links.push(this.#closing.add(this.#connect(managerEndpoint, sinkEndpoints[index] ?? '')));
    }
    this.#requests.restore(this.#links);
    for (const link of this.#links) this.#listen(link);
    this.#tick();
    log.info('agent.started', {
      node: this.#node,
      topics: [...this.#topics],
      managerEndpoints,
      sinkEndpoints,
      mgmtEndpoint,
    });
  }

  #connect(managerEndpoint: string, sinkEndpoint: string): Link {
    return new Link({
      sockets: this.#deps.sockets,
      managerEndpoint,
      sinkEndpoint,
      node: this.#node,
      topics: this.#topics,
      protocol: this.#config.protocol,
      nextSequence: () => this.#sequence++,
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
        return this.#requests.receive(dispatch.body, link);
      case 'cancel':
        return this.#requests.cancel(dispatch.id, link);
      case 'stored':
        return this.#requests.stored(dispatch.id, link);
      case 'conflict':
        return this.#requests.conflict(dispatch.boots);
      case 'who':
        return this.#presence.asked(link);
      case 'pulse':
        return this.#presence.pulse(link);
    }
  }

  #onRejected(link: Link, { code, message }: ServiceManagerError, id: RequestId | undefined): void {
    this.#reject('backend', link.name, code, message);
    if (id !== undefined) this.#requests.refused(id, code, message, link);
  }

  #tick(): void {
    this.#requests.tick();
    this.#progress.ticked();
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
