import { Progress } from '../core/progress.ts';
import type { Cancel, Clock } from '../platform/clock.ts';
import { Closing } from '../platform/closing.ts';
import type { HostFacts } from '../platform/host.ts';
import type { Log } from '../platform/log.ts';
import { serve } from '../platform/serve.ts';
import type { Socket, Sockets } from '../platform/sockets.ts';
import type { Policy } from '../security/policy.ts';
import { type AuditLog, Auditor } from '../store/auditor.ts';
import type { HistoryBounds, Store } from '../store/store.ts';
import { isServiceManagerError } from '../wire/errors.ts';
import type { RequestId } from '../wire/fields.ts';
import type { ManagementHandlers } from '../wire/management.ts';
import { type BoundSockets, bindSockets, type ManagerEndpoints } from './bound-sockets.ts';
import { type Counters, newTally } from './counters.ts';
import { Desks } from './desks.ts';
import { Gatehouse, type ManagerSecurity, type SecurityLimits } from './gatehouse.ts';
import { managementHandlers } from './management.ts';
import { Reception } from './reception.ts';
import { TurnedAway } from './turned-away.ts';

export interface ManagerConfig extends ManagerEndpoints {
  readonly history: HistoryBounds;
}

/** What a running manager takes over at once. */
export interface LiveConfig extends Pick<ManagerConfig, 'history'> {
  /** Read only where there is security. */
  readonly limits: SecurityLimits;
  readonly policy: Policy;
}

export interface ManagerDeps {
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly log: Log;
  readonly host: HostFacts;
  /** Of this process; shown by `manager.status`. */
  readonly pid: number;
  readonly store: Store;
  readonly newId: () => RequestId;
  /** Of a text, in hex. */
  readonly sha256: (text: string) => string;
  /** Undefined: everybody who reaches an endpoint may do everything. */
  readonly security?: ManagerSecurity | undefined;
  /** Where it is written down who did what; undefined: nowhere. */
  readonly audit?: AuditLog | undefined;
}

const tickMs = 100;
const pruneMs = 1_000;
const saveHeadMs = 1_000;
const deletionsPerPrune = 20;

interface Parts {
  readonly auditor: Auditor;
  readonly gate: Gatehouse | undefined;
  readonly sockets: BoundSockets;
  readonly ending: Ending;
}

/** What a manager waits for once it runs: that somebody stops it, or that it cannot go on. */
class Ending {
  stop: () => void = () => {};
  fail: (error: unknown) => void = () => {};
  readonly finished = new Promise<void>((resolve, reject) => {
    this.stop = resolve;
    this.fail = reject;
  });
}

/** The one loop of the manager: opens its reception, and drives the desks with time. */
export class Manager {
  readonly #deps: ManagerDeps;
  readonly #config: ManagerConfig;
  readonly #closing: Closing;
  readonly #parts: Parts;
  readonly #desks: Desks;
  readonly #turnedAway: TurnedAway;
  readonly #progress = new Progress();
  readonly #tally = newTally();
  #history: HistoryBounds;
  #nextPruneMs = 0;
  #nextSaveHeadMs = 0;
  #cancelTick: Cancel = () => {};

  /** Resolves when all sockets are bound. Rejects with ENDPOINT_UNUSABLE, leaving none behind. */
  static async start(config: ManagerConfig, deps: ManagerDeps): Promise<Manager> {
    const { clock, log, security, sockets, store } = deps;
    const closing = new Closing();
    const ending = new Ending();
    const auditor = new Auditor(deps.audit, log, clock);
    const fail = (error: unknown) => ending.fail(error);
    try {
      const gate =
        security === undefined ? undefined : new Gatehouse(security, { clock, log, auditor, fail });
      if (gate !== undefined) sockets.authenticate(gate.admission.decide, gate.admission);
      const doors = { securityOf: gate?.securityOf, joinEndpoint: security?.joinEndpoint };
      const bound = await bindSockets(config, { sockets, store, ...doors }, closing);
      gate?.opened(bound);
      return new Manager(config, deps, closing, { auditor, gate, sockets: bound, ending });
    } catch (error) {
      await closing.close();
      throw error;
    }
  }

  private constructor(config: ManagerConfig, deps: ManagerDeps, closing: Closing, parts: Parts) {
    this.#deps = deps;
    this.#config = config;
    this.#history = config.history;
    this.#closing = closing;
    this.#parts = parts;
    const { clock, log, store, sha256 } = deps;
    const { auditor, gate, sockets } = parts;
    const tally = this.#tally;
    this.#turnedAway = new TurnedAway(clock, log, auditor);
    this.#desks = new Desks({
      ...{ clock, log, store, sha256, sockets, auditor, tally, gate },
      reject: ({ code, message }) => this.#turnedAway.add('frontend', code, message),
    });
    const { requests, presence, publisher } = this.#desks;
    requests.restore((node) => presence.roster.get(node));
    this.#run();
    log.info('manager.started', { ...config, publisherPort: publisher.port });
    auditor.event('manager.started', { security: gate === undefined ? 'none' : 'curve' });
  }

  /** Resolves when `manager.shutdown` was asked for; rejects when a loop failed. */
  get finished(): Promise<void> {
    return this.#parts.ending.finished;
  }

  get counters(): Counters {
    const { gate, auditor, sockets } = this.#parts;
    const { frontend, backend, management } = sockets;
    const { requests, presence, publisher } = this.#desks;
    return {
      ...this.#tally,
      requestsEnded: requests.endedCount,
      openRequests: requests.openCount,
      agents: presence.agentCount,
      publicationsUnclaimed: publisher.unclaimed,
      framesRejected: this.#turnedAway.count,
      messagesDropped: publisher.dropped + backend.dropped + frontend.dropped + management.dropped,
      handshakesRefused: gate?.admission.refused ?? 0,
      joinsRefused: gate?.join.refused ?? 0,
      auditEventsLost: auditor.lost,
    };
  }

  /** Keeps more or less of the past from now on, and goes by other limits and another policy. */
  reconfigure({ history, limits, policy }: LiveConfig): void {
    const { gate, auditor } = this.#parts;
    this.#history = history;
    gate?.reconfigure(limits);
    gate?.policy.replace(policy);
    if (gate !== undefined) auditor.event('policy.loaded', { rules: policy.rules.length });
  }

  /** True when its loops have done something since the last call. */
  hasProgressed(): boolean {
    return this.#progress.take();
  }

  /** Takes nothing more, stores what is known, hands over what is queued and closes the sockets. Twice is harmless. */
  async close(): Promise<void> {
    const { recorder, presence, requests } = this.#desks;
    this.#cancelTick();
    await this.#closing.close();
    recorder.close();
    presence.close();
    this.#parts.auditor.event('manager.stopped', {});
    this.#parts.auditor.saveHead();
    this.#deps.log.info('manager.stopped', { openRequests: requests.openCount });
  }

  #run(): void {
    const { log, newId } = this.#deps;
    const { sockets, gate } = this.#parts;
    const reception = new Reception({
      ...{ sockets, gate, log, newId, desks: this.#desks, management: this.#managementHandlers() },
      ...{ turnedAway: this.#turnedAway, tally: this.#tally },
    });
    reception.open((socket, handle) => this.#serve(socket, handle));
    this.#tick();
  }

  #serve(socket: Socket, handle: (frames: readonly Buffer[]) => void): void {
    serve(socket, handle)
      .then(() => this.#progress.stoppedServing())
      .catch((error) => this.#parts.ending.fail(error));
  }

  #managementHandlers(): ManagementHandlers {
    const { clock, host, pid } = this.#deps;
    const { gate, auditor, ending } = this.#parts;
    const { publisher, presence } = this.#desks;
    const startedAtMs = clock.now();
    return managementHandlers({
      ...{ config: this.#config, host, pid, gate, auditor, presence },
      publisherPort: () => publisher.port,
      uptimeMs: () => clock.now() - startedAtMs,
      counters: () => this.counters,
      stop: () => ending.stop(),
    });
  }

  #tick(): void {
    const { clock } = this.#deps;
    const { presence, requests, publisher } = this.#desks;
    const now = clock.now();
    presence.tick();
    requests.tick();
    publisher.tick(now);
    this.#parts.gate?.tick(now);
    this.#progress.ticked();
    if (now >= this.#nextPruneMs) this.#prune(now);
    if (now >= this.#nextSaveHeadMs) this.#saveHead(now);
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

  #saveHead(now: number): void {
    this.#nextSaveHeadMs = now + saveHeadMs;
    this.#parts.auditor.saveHead();
  }
}
