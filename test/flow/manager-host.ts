import { Manager, type ManagerConfig } from '../../src/manager/manager.ts';
import { sha256 } from '../../src/platform/node/hash.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { ServiceManagerError } from '../../src/wire/errors.ts';
import type { RequestId } from '../../src/wire/fields.ts';
import type { ManualClock } from '../fakes/manual-clock.ts';
import { RecordedLog } from '../fakes/recorded-log.ts';
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
  #store: Store = new MemoryStore();
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

  get store(): Store {
    return this.#store;
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
    this.#program = program;
    this.#manager = await Manager.start(this.config, { ...deps, pid: 1, log, sha256 });
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

  #checkStore(program: Program, method: string): void {
    if (!program.isDead) this.onStoring(method);
    const isFailing = this.storeFails === 'all' || (this.storeFails === 'writes' && writes.has(method));
    if (program.isDead || isFailing) throw new ServiceManagerError('STORE_UNUSABLE', `${method}: disk full`);
  }

  #at(address: string, port: number): string {
    return `tcp://${address}:${port + this.#portOffset}`;
  }
}
