import { Progress } from '../core/progress.ts';
import { Rejects } from '../core/rejects.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import { Closing } from '../platform/closing.ts';
import type { HostFacts } from '../platform/host.ts';
import type { Log } from '../platform/log.ts';
import { serve } from '../platform/serve.ts';
import type { Socket, Sockets } from '../platform/sockets.ts';
import type { HistoryBounds, Store } from '../store/store.ts';
import { type ErrorCode, isErrorCode, isServiceManagerError } from '../wire/errors.ts';
import type { RequestId } from '../wire/fields.ts';
import { answerManagement, type ManagementHandlers } from '../wire/management.ts';
import type { Query } from '../wire/query.ts';
import { failureOf } from '../wire/reply.ts';
import type { CheckedRequest } from '../wire/request.ts';
import { openSinkMessage, type SinkMessage } from '../wire/sink.ts';
import { readSubscription } from '../wire/topic.ts';
import { type BoundSockets, bindSockets, type ManagerEndpoints } from './bound-sockets.ts';
import { type Counters, newTally } from './counters.ts';
import { Dispatcher } from './dispatch.ts';
import { openFrontendMessage, replyFrames } from './frontend.ts';
import { Intake } from './intake.ts';
import { ledgerOptions } from './ledger-options.ts';
import { managementHandlers } from './management.ts';
import { Plans } from './plans.ts';
import { PresenceDesk } from './presence.ts';
import { Publisher } from './publisher.ts';
import { Queries } from './queries.ts';
import { Recorder } from './recorder.ts';
import { RequestDesk } from './requests.ts';

export interface ManagerConfig extends ManagerEndpoints {
  readonly history: HistoryBounds;
}

export interface ManagerDeps {
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly log: Log;
  readonly host: HostFacts;
  readonly store: Store;
  readonly newId: () => RequestId;
  /** Of a text, in hex. */
  readonly sha256: (text: string) => string;
}

const tickMs = 100;
const pruneMs = 1_000;
const deletionsPerPrune = 20;

/** The one loop of the manager: hands what the sockets receive to the desks, and drives them with time. */
export class Manager {
  readonly #deps: ManagerDeps;
  readonly #config: ManagerConfig;
  readonly #closing: Closing;
  readonly #sockets: BoundSockets;
  readonly #publisher: Publisher;
  readonly #recorder: Recorder;
  readonly #presence: PresenceDesk;
  readonly #requests: RequestDesk;
  readonly #intake: Intake;
  readonly #queries: Queries;
  readonly #management: ManagementHandlers;
  readonly #rejects = new Rejects();
  readonly #progress = new Progress();
  readonly #tally = newTally();
  #history: HistoryBounds;
  #nextPruneMs = 0;
  #cancelTick: Cancel = () => {};
  #stop: () => void = () => {};
  #fail: (error: unknown) => void = () => {};

  /** Resolves when `manager.shutdown` was asked for; rejects when a loop failed. */
  readonly finished: Promise<void>;

  /** Resolves when all sockets are bound. Rejects with ENDPOINT_UNUSABLE, leaving none behind. */
  static async start(config: ManagerConfig, deps: ManagerDeps): Promise<Manager> {
    const closing = new Closing();
    try {
      return new Manager(config, deps, closing, await bindSockets(deps.sockets, config, deps.store, closing));
    } catch (error) {
      await closing.close();
      throw error;
    }
  }

  private constructor(config: ManagerConfig, deps: ManagerDeps, closing: Closing, sockets: BoundSockets) {
    this.#deps = deps;
    this.#config = config;
    this.#history = config.history;
    this.#closing = closing;
    this.#sockets = sockets;
    const { clock, log, store } = deps;
    const publisher = new Publisher(sockets.publisher);
    const dispatcher = new Dispatcher(sockets.backend);
    const port = () => publisher.port;
    const recorder = new Recorder({
      ...{ store, clock, log },
      onStored: (id, node) => dispatcher.control(node, { type: 'stored', id }),
    });
    const desk = { clock, log, store, recorder, dispatcher, publisher };
    const requests = new RequestDesk({ ...desk, ledger: ledgerOptions });
    const presence = new PresenceDesk({
      ...desk,
      onPresence: (node, isAlive) => requests.presence(node, isAlive),
    });
    this.#publisher = publisher;
    this.#recorder = recorder;
    this.#requests = requests;
    this.#presence = presence;
    const plans = new Plans(deps.sha256);
    this.#intake = new Intake({ clock, presence, requests, plans, port });
    this.#queries = new Queries({ clock, store, recorder, presence, requests, plans, port });
    this.#management = this.#managementHandlers(port);
    this.finished = new Promise((resolve, reject) => {
      this.#stop = resolve;
      this.#fail = reject;
    });
    requests.restore((node) => presence.roster.get(node));
    this.#run();
    log.info('manager.started', { ...config, publisherPort: port() });
  }

  get counters(): Counters {
    const { frontend, backend, management } = this.#sockets;
    return {
      ...this.#tally,
      requestsEnded: this.#requests.endedCount,
      openRequests: this.#requests.openCount,
      agents: this.#presence.agentCount,
      publicationsUnclaimed: this.#publisher.unclaimed,
      framesRejected: this.#rejects.count,
      messagesDropped: this.#publisher.dropped + backend.dropped + frontend.dropped + management.dropped,
    };
  }

  /** Keeps more or less of the past from now on. */
  reconfigure({ history }: Pick<ManagerConfig, 'history'>): void {
    this.#history = history;
  }

  /** True when its loops have done something since the last call. */
  hasProgressed(): boolean {
    return this.#progress.take();
  }

  /** Takes nothing more, stores what is known, hands over what is queued and closes the sockets. Twice is harmless. */
  async close(): Promise<void> {
    this.#cancelTick();
    await this.#closing.close();
    this.#recorder.close();
    this.#presence.close();
    this.#deps.log.info('manager.stopped', { openRequests: this.#requests.openCount });
  }

  #run(): void {
    const { frontend, backend, publisher, sink, management } = this.#sockets;
    this.#serve(frontend, (frames) => this.#onFrontend(frames));
    this.#serve(backend, (frames) => this.#onBackend(frames));
    this.#serve(publisher, (frames) => this.#onPublisher(frames));
    this.#serve(sink, (frames) => this.#onSink(frames));
    this.#serve(management, (frames) => this.#onManagement(frames));
    this.#tick();
  }

  #serve(socket: Socket, handle: (frames: Buffer[]) => void): void {
    serve(socket, handle)
      .then(() => this.#progress.stoppedServing())
      .catch((error) => this.#fail(error));
  }

  #onFrontend(frames: readonly Buffer[]): void {
    const message = openFrontendMessage(frames, this.#deps.newId);
    if (message.kind === 'rejected') {
      const { peer, error } = message;
      this.#reject('frontend', peer.toString('hex'), error.code, error.message);
      this.#sockets.frontend.send(replyFrames(peer, failureOf(error)));
      return;
    }
    const reply = message.kind === 'query' ? this.#onQuery(message.query) : this.#onRequest(message.request);
    this.#sockets.frontend.send(replyFrames(message.peer, reply));
  }

  #onRequest(request: CheckedRequest): object {
    const { id, cmd: action, topic, service } = request.body;
    const verdict = this.#intake.take(request);
    this.#tally[talliedAs[verdict.kind]] += 1;
    if (verdict.kind === 'refused') {
      const { code, msg: reason } = verdict.reply;
      this.#deps.log.warn('request.refused', { id, action, topic, service, code, reason });
    } else if (verdict.kind === 'opened') {
      const { expected, withheld } = verdict.reply;
      this.#deps.log.info('request.opened', {
        id,
        action,
        topic,
        service,
        form: request.version,
        expected,
        withheld,
      });
    }
    return verdict.reply;
  }

  #onQuery(query: Query): object {
    this.#tally.queries += 1;
    try {
      return this.#queries.answer(query);
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      return failureOf(error);
    }
  }

  #onBackend(frames: readonly Buffer[]): void {
    const [frame] = frames;
    const subscription = frame === undefined || frames.length !== 1 ? undefined : readSubscription(frame);
    if (subscription === undefined)
      return this.#reject('backend', '', 'INVALID_MESSAGE', 'expected a subscription');
    this.#presence.subscription(subscription);
    this.#deps.log.debug('topic.subscription', { ...subscription });
  }

  #onPublisher(frames: readonly Buffer[]): void {
    if (this.#publisher.subscription(frames)) return;
    this.#reject('publisher', '', 'INVALID_MESSAGE', 'expected a subscription');
  }

  #onSink(frames: readonly Buffer[]): void {
    try {
      this.#onAgent(openSinkMessage(frames));
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      this.#reject('sink', '', error.code, error.message);
    }
  }

  #onAgent(message: SinkMessage): void {
    if (message.type === 'ack') return this.#requests.acknowledged(message);
    if (message.type === 'output') return this.#requests.output(message);
    if (message.type !== 'result') return this.#presence.message(message);
    this.#tally.results += 1;
    this.#requests.result(message);
  }

  #onManagement(frames: readonly Buffer[]): void {
    const { reply, refusal } = answerManagement(frames, this.#management);
    this.#sockets.management.send([Buffer.from(JSON.stringify(reply))]);
    if (isErrorCode(refusal?.code)) this.#reject('management', '', refusal.code, refusal.msg);
  }

  #managementHandlers(publisherPort: () => number): ManagementHandlers {
    const { clock, host } = this.#deps;
    const startedAtMs = clock.now();
    return managementHandlers({
      config: this.#config,
      host,
      publisherPort,
      uptimeMs: () => clock.now() - startedAtMs,
      counters: () => this.counters,
      stop: () => this.#stop(),
    });
  }

  #tick(): void {
    const { clock } = this.#deps;
    const now = clock.now();
    this.#presence.tick();
    this.#requests.tick();
    this.#publisher.tick(now);
    this.#progress.ticked();
    if (now >= this.#nextPruneMs) this.#prune(now);
    this.#cancelTick = clock.after(tickMs, 'manager tick', () => this.#tick());
  }

  #prune(now: number): void {
    this.#nextPruneMs = now + pruneMs;
    const { store, clock, log } = this.#deps;
    try {
      store.prune(this.#history, clock.wallMs(), deletionsPerPrune);
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      log.error('store.failed', { error });
    }
  }

  #reject(door: string, peer: string, code: ErrorCode, reason: string): void {
    const fields = this.#rejects.add({ door, peer, code, reason }, this.#deps.clock.now());
    if (fields !== undefined) this.#deps.log.warn('message.rejected', { ...fields });
  }
}

const talliedAs = { opened: 'requests', repeated: 'requestsRepeated', refused: 'requestsRefused' } as const;
