import type { LedgerEffect } from '../core/ledger.ts';
import { Rejects } from '../core/rejects.ts';
import { Requests } from '../core/requests.ts';
import { type Reach, Subscriptions } from '../core/subscriptions.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import { Closing } from '../platform/closing.ts';
import type { HostFacts } from '../platform/host.ts';
import type { Log } from '../platform/log.ts';
import { serve } from '../platform/serve.ts';
import type { Socket, Sockets } from '../platform/sockets.ts';
import { type ErrorCode, isErrorCode, isServiceManagerError } from '../wire/errors.ts';
import type { RequestId } from '../wire/fields.ts';
import { answerManagement, type ManagementHandlers } from '../wire/management.ts';
import type { CheckedRequest } from '../wire/request.ts';
import { openSinkMessage } from '../wire/result.ts';
import { readSubscription } from '../wire/topic.ts';
import { type BoundSockets, bindSockets, type ManagerEndpoints } from './bound-sockets.ts';
import { type Counters, newTally } from './counters.ts';
import { dispatch } from './dispatch.ts';
import { Frontend } from './frontend.ts';
import { managementHandlers } from './management.ts';
import { Publisher } from './publisher.ts';

export type ManagerConfig = ManagerEndpoints;

export interface ManagerDeps {
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly log: Log;
  readonly host: HostFacts;
  readonly newId: () => RequestId;
}

const tickMs = 100;
// A v1 request says no window; its ledger stays open this long for agents that never answer.
const defaultWindowMs = 60_000;
const limits = { retentionMs: 600_000, maxEnded: 10_000, maxOpen: 10_000 };

/** The one loop of the manager: hands what the sockets receive to the stations and to core/, and carries out the effects. */
export class Manager {
  readonly #deps: ManagerDeps;
  readonly #closing: Closing;
  readonly #sockets: BoundSockets;
  readonly #publisher: Publisher;
  readonly #frontend: Frontend;
  readonly #management: ManagementHandlers;
  readonly #subscriptions = new Subscriptions();
  readonly #requests = new Requests(limits);
  readonly #rejects = new Rejects();
  readonly #tally = newTally();
  #cancelTick: Cancel = () => {};
  #stop: () => void = () => {};
  #fail: (error: unknown) => void = () => {};

  /** Resolves when `manager.shutdown` was asked for; rejects when a loop failed. */
  readonly finished: Promise<void>;

  /** Resolves when all sockets are bound. Rejects with ENDPOINT_UNUSABLE, leaving none behind. */
  static async start(config: ManagerConfig, deps: ManagerDeps): Promise<Manager> {
    const closing = new Closing();
    try {
      return new Manager(config, deps, closing, await bindSockets(deps.sockets, config, closing));
    } catch (error) {
      await closing.close();
      throw error;
    }
  }

  private constructor(config: ManagerConfig, deps: ManagerDeps, closing: Closing, sockets: BoundSockets) {
    this.#deps = deps;
    this.#closing = closing;
    this.#sockets = sockets;
    this.#publisher = new Publisher(sockets.publisher);
    const publisherPort = () => this.#publisher.port;
    this.#frontend = new Frontend({
      requests: this.#requests,
      subscriptions: this.#subscriptions,
      newId: deps.newId,
      port: publisherPort,
    });
    const startedAtMs = deps.clock.now();
    this.#management = managementHandlers({
      config,
      host: deps.host,
      publisherPort,
      uptimeMs: () => deps.clock.now() - startedAtMs,
      counters: () => this.counters,
      stop: () => this.#stop(),
    });
    this.finished = new Promise((resolve, reject) => {
      this.#stop = resolve;
      this.#fail = reject;
    });
    this.#run();
    deps.log.info('manager.started', { ...config, publisherPort: publisherPort() });
  }

  get counters(): Counters {
    const { frontend, backend, management } = this.#sockets;
    return {
      ...this.#tally,
      openRequests: this.#requests.openCount,
      agents: this.#subscriptions.count('v1', 'any') + this.#subscriptions.count('v2', 'any'),
      framesRejected: this.#rejects.count,
      messagesDropped: this.#publisher.dropped + backend.dropped + frontend.dropped + management.dropped,
    };
  }

  /** Takes nothing more, hands over what is queued and closes the sockets. Twice is harmless. */
  async close(): Promise<void> {
    this.#cancelTick();
    await this.#closing.close();
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
    serve(socket, handle).catch((error) => this.#fail(error));
  }

  #onFrontend(frames: readonly Buffer[]): void {
    const verdict = this.#frontend.receive(frames);
    this.#sockets.frontend.send(verdict.replyFrames);
    if (verdict.kind === 'new') return this.#open(verdict.request, verdict.reach);
    if (verdict.kind === 'repeated') this.#tally.requestsRepeated += 1;
    if (verdict.kind === 'rejected') {
      this.#reject('frontend', verdict.peer, verdict.error.code, verdict.error.message);
    }
    if (verdict.kind === 'refused') {
      this.#tally.requestsRefused += 1;
      const { id, topic } = verdict.request.body;
      this.#deps.log.warn('request.refused', {
        id,
        topic,
        code: verdict.refusal.code,
        reason: verdict.refusal.msg,
      });
    }
  }

  #open(request: CheckedRequest, reach: Reach): void {
    const { id, cmd, topic, service, windowMs = defaultWindowMs } = request.body;
    const now = this.#deps.clock.now();
    this.#tally.requests += 1;
    this.#deps.log.info('request.opened', {
      id,
      action: cmd,
      topic,
      service,
      form: request.version,
      ...reach,
    });
    this.#publisher.open(id, now);
    dispatch(this.#sockets.backend, request, reach);
    this.#carryOut(
      this.#requests.open({ id, expected: reach.v1 + reach.v2, withheld: reach.withheld, windowMs }, now),
    );
  }

  #onBackend(frames: readonly Buffer[]): void {
    const [frame] = frames;
    const subscription = frame === undefined || frames.length !== 1 ? undefined : readSubscription(frame);
    if (subscription === undefined)
      return this.#reject('backend', '', 'INVALID_MESSAGE', 'expected a subscription');
    this.#subscriptions.apply(subscription);
    this.#deps.log.debug('topic.subscription', { ...subscription });
  }

  #onPublisher(frames: readonly Buffer[]): void {
    if (this.#publisher.subscription(frames)) return;
    this.#reject('publisher', '', 'INVALID_MESSAGE', 'expected a subscription');
  }

  #onSink(frames: readonly Buffer[]): void {
    try {
      const { id, node, payload } = openSinkMessage(frames);
      this.#tally.results += 1;
      const effects = this.#requests.step(id, { kind: 'result', node, payload }, this.#deps.clock.now());
      if (effects !== undefined) return this.#carryOut(effects);
      // Perhaps asked for before this manager was restarted: whoever listens still gets it.
      this.#tally.resultsOfUnknownRequest += 1;
      this.#publisher.answer(id, payload);
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      this.#reject('sink', '', error.code, error.message);
    }
  }

  #onManagement(frames: readonly Buffer[]): void {
    const { reply, refusal } = answerManagement(frames, this.#management);
    this.#sockets.management.send([Buffer.from(JSON.stringify(reply))]);
    if (isErrorCode(refusal?.code)) this.#reject('management', '', refusal.code, refusal.msg);
  }

  #carryOut(effects: readonly LedgerEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'publish') {
        this.#publisher.answer(effect.id, effect.payload);
        continue;
      }
      this.#tally.requestsEnded += 1;
      this.#publisher.end(effect.end);
      this.#deps.log.info('request.ended', { ...effect.end });
    }
  }

  #tick(): void {
    const now = this.#deps.clock.now();
    this.#carryOut(this.#requests.tick(now));
    this.#publisher.tick(now);
    this.#cancelTick = this.#deps.clock.after(tickMs, 'manager tick', () => this.#tick());
  }

  #reject(door: string, peer: string, code: ErrorCode, reason: string): void {
    const fields = this.#rejects.add({ door, peer, code, reason }, this.#deps.clock.now());
    if (fields !== undefined) this.#deps.log.warn('message.rejected', { ...fields });
  }
}
