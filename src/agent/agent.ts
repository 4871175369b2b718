import { Rejects } from '../core/rejects.ts';
import type { Clock } from '../platform/clock.ts';
import { sleep } from '../platform/clock.ts';
import { Closing } from '../platform/closing.ts';
import type { HostFacts } from '../platform/host.ts';
import type { Log } from '../platform/log.ts';
import { serve } from '../platform/serve.ts';
import type { Socket, Sockets } from '../platform/sockets.ts';
import type { Provider } from '../provider/provider.ts';
import { type ErrorCode, isErrorCode, type ServiceManagerError } from '../wire/errors.ts';
import { actions, type NodeName, type RequestId, type Topic } from '../wire/fields.ts';
import { answerManagement, type ManagementHandlers } from '../wire/management.ts';
import type { RequestBody } from '../wire/request.ts';
import type { Answer } from '../wire/result.ts';
import type { ProtocolVersion } from '../wire/topic.ts';
import { Answers } from './answers.ts';
import { Link } from './link.ts';
import { type AgentCounters, managementHandlers } from './management.ts';
import { Report } from './report.ts';
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
}

const maxTasks = 1_000;
const lingerMs = 1_000;
// Together with the linger time of the sockets this stays under the 10 s that a stop may take.
const drainMs = 8_000;

/** The one loop of the agent: requests from its managers become tasks, and what comes of them is reported back. */
export class Agent {
  readonly #config: AgentConfig;
  readonly #deps: AgentDeps;
  readonly #closing = new Closing();
  readonly #node: NodeName;
  readonly #topics: ReadonlySet<Topic>;
  readonly #answers: Answers;
  readonly #tasks: Tasks;
  readonly #rejects = new Rejects();
  readonly #startedAtMs: number;
  readonly #tally = { requests: 0, answers: 0, foreignTopics: 0, messagesDropped: 0 };
  #sequence = 0;
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
    this.#config = config;
    this.#deps = deps;
    this.#node = config.nodeName ?? (deps.host.hostname as NodeName);
    this.#topics = topicsOf({
      node: this.#node,
      host: deps.host,
      roles: config.roles,
      topics: config.topics,
    });
    this.#answers = new Answers(this.#node, deps.host);
    this.#tasks = new Tasks({
      provider: deps.provider,
      answers: this.#answers,
      actions: new Set([...actions, ...config.extraActions]),
      actionTimeoutMs: config.actionTimeoutMs,
      maxTasks,
    });
    this.#startedAtMs = deps.clock.now();
    this.finished = new Promise((resolve, reject) => {
      this.#stop = resolve;
      this.#fail = reject;
    });
  }

  get counters(): AgentCounters {
    return { ...this.#tally, tasks: this.#tasks.count, framesRejected: this.#rejects.count };
  }

  /** Takes nothing new, lets running actions finish or answers for them, and closes. Ends within 10 s; twice is harmless. */
  close(): Promise<void> {
    this.#closed ??= this.#drainAndClose();
    return this.#closed;
  }

  async #open(): Promise<void> {
    const { sockets, log } = this.#deps;
    const management = this.#closing.add(await sockets.bindReply(this.#config.mgmtEndpoint, { lingerMs }));
    const handlers = this.#managementHandlers();
    this.#own(serve(management, (frames) => this.#onManagement(management, handlers, frames)));
    for (const [index, managerEndpoint] of this.#config.managerEndpoints.entries()) {
      this.#connect(managerEndpoint, this.#config.sinkEndpoints[index] ?? '');
    }
    log.info('agent.started', { node: this.#node, topics: [...this.#topics], ...endpointsOf(this.#config) });
  }

  #connect(managerEndpoint: string, sinkEndpoint: string): void {
    const { sockets, log } = this.#deps;
    const { protocol } = this.#config;
    const sink = this.#closing.add(sockets.connectPush(sinkEndpoint, { lingerMs }));
    const report = new Report(sink, this.#node, protocol, () => this.#sequence++);
    const link = new Link(sockets, this.#closing, {
      managerEndpoint,
      topics: this.#topics,
      protocol,
      onRequest: (body) => this.#own(this.#serveRequest(body, report)),
      onRejected: (error, id) => this.#onRejected(error, id, report, managerEndpoint),
      onForeignTopic: (topic) => {
        this.#tally.foreignTopics += 1;
        log.debug('request.not_meant_for_us', { topic });
      },
    });
    this.#own(link.listen());
  }

  async #serveRequest(body: RequestBody, report: Report): Promise<void> {
    const { id, cmd: action, service } = body;
    this.#tally.requests += 1;
    this.#deps.log.info('request.received', { id, action, service });
    this.#send(await this.#tasks.run(body), report);
  }

  #onRejected(error: ServiceManagerError, id: RequestId | undefined, report: Report, peer: string): void {
    this.#reject('backend', peer, error.code, error.message);
    if (id !== undefined) this.#send(this.#answers.trouble(id, error.code, error.message), report);
  }

  #send(answer: Answer, report: Report): void {
    this.#tally.answers += 1;
    const isSent = report.send(answer);
    if (!isSent) this.#tally.messagesDropped += 1;
    const outcome = 'result' in answer ? { returncode: answer.result.returncode } : { code: answer.code };
    this.#deps.log.info('request.answered', { id: answer.uuid, isSent, ...outcome });
  }

  #managementHandlers(): ManagementHandlers {
    return managementHandlers({
      ...endpointsOf(this.#config),
      node: this.#node,
      topics: this.#topics,
      host: this.#deps.host,
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
    this.#tasks.interrupt();
    // Answers are handed to their sockets in the turn after they are known.
    await sleep(clock, 0);
    await this.#closing.close();
    log.info('agent.stopped', {});
  }

  #own(loop: Promise<void>): void {
    loop.catch((error) => this.#fail(error));
  }

  #reject(door: string, peer: string, code: ErrorCode, reason: string): void {
    const fields = this.#rejects.add({ door, peer, code, reason }, this.#deps.clock.now());
    if (fields !== undefined) this.#deps.log.warn('message.rejected', { ...fields });
  }
}

function endpointsOf({ managerEndpoints, sinkEndpoints, mgmtEndpoint }: AgentConfig) {
  return { managerEndpoints, sinkEndpoints, mgmtEndpoint };
}
