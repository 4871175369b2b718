import type { ManagerSecurity } from '../../src/manager/gatehouse.ts';
import { Manager, type ManagerConfig, type ManagerDeps } from '../../src/manager/manager.ts';
import type { KeptKeys, KeyKeeper } from '../../src/manager/own-keys.ts';
import { sha256 } from '../../src/platform/node/hash.ts';
import { newCurveKeys } from '../../src/security/keys.ts';
import type { KnownManager } from '../../src/security/known-manager.ts';
import type { Policy } from '../../src/security/policy.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { ServiceManagerError } from '../../src/wire/errors.ts';
import type { NodeName, RequestId } from '../../src/wire/fields.ts';
import { keyEntryOf } from '../fakes/key-owners.ts';
import type { ManualClock } from '../fakes/manual-clock.ts';
import { RecordedAudit } from '../fakes/recorded-audit.ts';
import { RecordedLog } from '../fakes/recorded-log.ts';
import type { FleetKeys } from './fleet-keys.ts';
import { guarded } from './guarded.ts';
import type { Network } from './network.ts';
import { Program } from './program.ts';

/** What all programs of a fleet share. */
export interface World {
  readonly clock: ManualClock;
  readonly network: Network;
  readonly newId: () => RequestId;
  /** A loop of a living program failed. */
  readonly onCrash: (error: unknown) => void;
  /** Undefined: without security. */
  readonly keys: FleetKeys | undefined;
}

const writes: ReadonlySet<string> = new Set([
  'openRequest',
  'saveAnswers',
  'updateRequest',
  'saveMember',
  'saveLastSeen',
  'forgetMember',
  'setSetting',
  'prune',
  'saveKey',
  'removeKey',
]);

export const hostOf = (name: string) => ({
  hostname: name,
  system: 'Linux',
  release: '6.1',
  version: '#1 SMP',
  machine: 'x86_64',
  osRelease: { NAME: 'Debian GNU/Linux', ID: 'debian', VERSION_ID: '12' },
});

/** A host with a manager that comes and goes; what it has stored stays. */
export class ManagerHost {
  readonly name: string;
  readonly log = new RecordedLog();
  readonly config: ManagerConfig;
  readonly #portOffset: number;
  readonly #world: World;
  readonly audit = new RecordedAudit();
  /** What its policy says when it starts. */
  policy: Policy = { rules: [] };
  /** Its own keys, as they are kept. */
  keptKeys: KeptKeys = { current: newCurveKeys() };
  #store = new MemoryStore();
  /** From now on the store throws: `writes` as with a full disk, `all` as with a broken one. */
  storeFails: 'no' | 'writes' | 'all' = 'no';
  /** Called before each call of the store. */
  onStoring: (method: string) => void = () => {};
  /** Called after each call of the store that went well. */
  onStored: (method: string) => void = () => {};
  #program: Program | undefined;
  #manager: Manager | undefined;

  constructor(name: string, index: number, world: World, config: Partial<ManagerConfig> = {}) {
    this.name = name;
    this.#world = world;
    this.#portOffset = index * 10_000;
    this.config = {
      frontendEndpoint: this.#at('*', 5_500),
      backendEndpoint: this.#at('*', 5_600),
      sinkEndpoint: this.#at('*', 5_700),
      mgmtEndpoint: this.#at('*', 5_800),
      publisherEndpoint: this.#at('*', 5_750),
      history: { maxAgeMs: 86_400_000, maxRequests: 10_000, maxBytes: 1_000_000_000 },
      ...config,
    };
  }

  get frontendEndpoint(): string {
    return this.#at('localhost', 5_500);
  }

  get backendEndpoint(): string {
    return this.#at('localhost', 5_600);
  }

  get sinkEndpoint(): string {
    return this.#at('localhost', 5_700);
  }

  get managementEndpoint(): string {
    return this.#at('localhost', 5_800);
  }

  get joinEndpoint(): string {
    return this.#at('localhost', 5_850);
  }

  get store(): Store {
    return this.#store;
  }

  /** As whoever joins it now knows it. */
  get known(): KnownManager {
    const { frontendEndpoint: frontend, backendEndpoint: backend, sinkEndpoint: sink } = this;
    const endpoints = { join: this.joinEndpoint, frontend, backend, sink };
    return { name: this.name, key: this.keptKeys.current.publicKey, endpoints };
  }

  get isRunning(): boolean {
    return this.#manager !== undefined;
  }

  get manager(): Manager {
    if (this.#manager === undefined) throw new Error(`${this.name} is not running`);
    return this.#manager;
  }

  /** Ends an earlier manager on this host that is still there. */
  async start(): Promise<void> {
    this.kill();
    const { clock, network, newId, onCrash } = this.#world;
    const program = new Program(this.name, network, clock);
    const store = guarded(
      this.#store,
      (method) => this.#checkStore(program, method),
      (method) => this.onStored(method),
    );
    const { log } = this;
    const deps = { sockets: program.sockets, clock: program.clock, host: hostOf(this.name), store, newId };
    const secured = this.#world.keys === undefined ? {} : this.#secured(store, this.#world.keys);
    this.#program = program;
    this.#manager = await Manager.start(this.config, { ...deps, ...secured, pid: 1, log, sha256 });
    this.#manager.finished.catch((error) => program.isDead || onCrash(error));
  }

  close(): Promise<void> {
    const closed = this.manager.close();
    this.#manager = undefined;
    return closed;
  }

  kill(): void {
    this.#program?.kill();
    this.#manager = undefined;
  }

  /** What it had stored is gone. */
  loseStore(): void {
    this.#store = new MemoryStore();
  }

  /** Whoever has keys when it starts for the first time, was accepted by it. */
  #secured(store: MemoryStore, keys: FleetKeys): Pick<ManagerDeps, 'security' | 'audit'> {
    if (this.#store.keys().length === 0)
      for (const owner of keys.all()) this.#store.saveKey(keyEntryOf(owner));
    const { name, keptKeys, policy, audit } = this;
    const security: ManagerSecurity = {
      ...{ name: name as NodeName, keys: keptKeys, store, policy, keeper: this.#keeper(), newCurveKeys },
      ...{ limits: { requestsPerSecond: 1_000, openRequests: 1_000 }, maxPending: 10, maxConnections: 1_000 },
      joinEndpoint: this.#at('*', 5_850),
      newToken: () => ({ id: '0123456789abcdef', secret: Buffer.alloc(24, 1) }),
    };
    return { security, audit };
  }

  #keeper(): KeyKeeper {
    return {
      keepNext: (pair, switchesWallMs) => {
        this.keptKeys = { ...this.keptKeys, next: { pair, switchesWallMs } };
      },
      promoteNext: () => {
        this.keptKeys = { current: this.keptKeys.next?.pair ?? this.keptKeys.current };
      },
    };
  }

  #checkStore(program: Program, method: string): void {
    if (!program.isDead) this.onStoring(method);
    const isFailing = this.storeFails === 'all' || (this.storeFails === 'writes' && writes.has(method));
    if (program.isDead || isFailing) throw new ServiceManagerError('STORE_UNUSABLE', `${method}: disk full`);
  }

  #at(address: string, port: number): string {
    return `tcp://${address}:${port + this.#portOffset}`;
  }
}
