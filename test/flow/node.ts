import { Agent } from '../../src/agent/agent.ts';
import type { GateRules } from '../../src/agent/gate.ts';
import { HealthChecks } from '../../src/agent/health.ts';
import { sleep } from '../../src/platform/clock.ts';
import type { ActionLimits, Provider, ReadLimits } from '../../src/provider/provider.ts';
import { Service8 } from '../../src/provider/service8.ts';
import { VerifiedProvider } from '../../src/provider/verified.ts';
import type { Policy } from '../../src/security/policy.ts';
import type { Journal } from '../../src/store/journal.ts';
import { MemoryJournal } from '../../src/store/memory-journal.ts';
import { ServiceManagerError } from '../../src/wire/errors.ts';
import type { ActionName, NodeName, ServiceName, Topic } from '../../src/wire/fields.ts';
import type { BootId } from '../../src/wire/presence.ts';
import type { ProtocolVersion } from '../../src/wire/topic.ts';
import { MemoryProcessTable } from '../fakes/memory-process-table.ts';
import { RecordedAudit } from '../fakes/recorded-audit.ts';
import { RecordedLog } from '../fakes/recorded-log.ts';
import { ScriptedProbe } from '../fakes/scripted-probe.ts';
import { ScriptedProcesses } from '../fakes/scripted-processes.ts';
import { knownOperators } from '../fakes/signed-words.ts';
import { guarded } from './guarded.ts';
import { hostOf, type ManagerHost, type World } from './manager-host.ts';
import { Program } from './program.ts';

export interface NodeOptions {
  readonly name: string;
  /** What its agent calls itself. Default: the name. */
  readonly nodeName?: string;
  readonly roles?: readonly string[];
  readonly topics?: readonly string[];
  readonly protocol?: ProtocolVersion;
  /** Managers that it serves. Default: all that there are. */
  readonly managers?: readonly string[];
  /** How far its clock is ahead. */
  readonly wallSkewMs?: number;
  /** How long a service must stay what an action made it. Default: nobody looks. */
  readonly settleMs?: number;
  /** Whose word counts on it: that of its managers (default), or that of alice and nobody else. */
  readonly trust?: 'manager' | 'operators';
  /** Its own. Default: one that says nothing. */
  readonly policy?: Policy;
}

const services = ['nginx', 'redis'];
const writes: ReadonlySet<string> = new Set(['start', 'finish', 'cancel', 'owe', 'delivered', 'prune']);
const actions = ['start', 'stop', 'restart', 'status', 'reload'];

/** A managed host: its agent comes and goes, its services and its journal stay. */
export class Node {
  readonly name: string;
  readonly log = new RecordedLog();
  readonly audit = new RecordedAudit();
  readonly processes: ScriptedProcesses;
  readonly processTable = new MemoryProcessTable();
  readonly probe: ScriptedProbe;
  /** From now on the journal throws: `writes` as with a full disk, `all` as with a broken one. */
  journalFails: 'no' | 'writes' | 'all' = 'no';
  /** Called after each call of the journal that went well. */
  onJournaled: (method: string) => void = () => {};
  readonly #options: NodeOptions;
  readonly #mgmtEndpoint: string;
  readonly #managers: readonly ManagerHost[];
  readonly #world: World;
  #journal = new MemoryJournal();
  #program: Program | undefined;
  #agent: Agent | undefined;

  constructor(options: NodeOptions, index: number, managers: readonly ManagerHost[], world: World) {
    this.name = options.name;
    this.#options = options;
    this.#mgmtEndpoint = `tcp://*:${6_000 + index}`;
    this.#managers = managers.filter(({ name }) => options.managers?.includes(name) ?? true);
    this.#world = world;
    this.processes = new ScriptedProcesses({}, world.clock);
    this.probe = new ScriptedProbe(world.clock);
    for (const service of services) {
      for (const action of actions) this.processes.answer(`service ${service} ${action}`, {});
    }
  }

  get agent(): Agent {
    if (this.#agent === undefined) throw new Error(`${this.name} is not running`);
    return this.#agent;
  }

  get isRunning(): boolean {
    return this.#agent !== undefined;
  }

  get journal(): Journal {
    return this.#journal;
  }

  /** How often `nginx restart` was run on this host. */
  runs(command: string): number {
    return this.processes.runs.filter((run) => run === `service ${command}`).length;
  }

  /** From now on each `nginx restart` waits for `release`. */
  hold(command: string): void {
    this.processes.hold(`service ${command}`);
  }

  release(command: string, exitCode = 0): void {
    this.processes.release(`service ${command}`, { exitCode });
  }

  /** From now on `nginx restart` takes this long, whatever becomes of the agent. */
  slow(command: string, durationMs: number): void {
    const { clock } = this.#world;
    this.processes.answer(`service ${command}`, async () => {
      await sleep(clock, durationMs);
      return { durationMs };
    });
  }

  /** Ends an earlier agent of this host that is still there. */
  async start(): Promise<void> {
    this.kill();
    const { clock, network, newId, onCrash } = this.#world;
    const { nodeName = this.name, roles = [], topics = [], protocol = 'v2' } = this.#options;
    const { wallSkewMs, settleMs = 0 } = this.#options;
    const security = this.#world.keys?.agentSecurity(nodeName, this.#managers);
    const program = new Program(this.name, network, clock, wallSkewMs);
    this.#journal = new MemoryJournal(this.#journal);
    const journal = guarded(
      this.#journal,
      (method) => this.#checkJournal(program, method),
      (method) => this.onJournaled(method),
    );
    const config = {
      managerEndpoints: this.#managers.map(({ backendEndpoint }) => backendEndpoint),
      sinkEndpoints: this.#managers.map(({ sinkEndpoint }) => sinkEndpoint),
      mgmtEndpoint: this.#mgmtEndpoint,
      nodeName: nodeName as NodeName,
      roles,
      topics: topics as readonly Topic[],
      protocol,
      actionTimeoutMs: 600_000,
      extraActions: [],
    };
    const boot = newId() as string as BootId;
    this.#program = program;
    const { processes, processTable, probe } = this;
    const provider = new VerifiedProvider({
      provider: new ProviderOfProgram(program, processes, processTable),
      ...{ processTable, clock: program.clock, settleMs },
    });
    const health = new HealthChecks({ probe, processes, clock: program.clock, programs: new Map() });
    this.#agent = await Agent.start(config, {
      sockets: program.sockets,
      clock: program.clock,
      log: this.log,
      host: hostOf(this.name),
      pid: 1,
      ...{ provider, health, rules: this.#rules(), security, audit: this.audit },
      journal,
      boot,
      random: numbersFrom(Number.parseInt(boot.slice(-8), 16)),
    });
    this.#agent.finished.catch((error) => program.isDead || onCrash(error));
  }

  close(): Promise<void> {
    const closed = this.agent.close();
    this.#agent = undefined;
    return closed;
  }

  kill(): void {
    this.#program?.kill();
    this.#agent = undefined;
  }

  vanish(): void {
    this.#program?.vanish();
    this.#agent = undefined;
  }

  #rules(): GateRules {
    const { trust = 'manager', policy = { rules: [] } } = this.#options;
    const alice = this.#world.keys?.operator();
    if (trust === 'manager' || alice === undefined) return { trust: { kind: 'manager' }, policy };
    return { trust: { kind: 'operators', known: knownOperators(alice) }, policy };
  }

  #checkJournal(program: Program, method: string): void {
    const isFailing = this.journalFails === 'all' || (this.journalFails === 'writes' && writes.has(method));
    if (program.isDead || isFailing)
      throw new ServiceManagerError('JOURNAL_UNAVAILABLE', `${method}: disk full`);
  }
}

/** service(8) of the host; what it says does not reach a dead agent. */
class ProviderOfProgram implements Provider {
  readonly #program: Program;
  readonly #service8: Service8;

  constructor(program: Program, processes: ScriptedProcesses, processTable: MemoryProcessTable) {
    this.#program = program;
    this.#service8 = new Service8({
      ...{ processes, processTable },
      program: 'service',
      system: 'Linux',
      outputLimitBytes: 65_536,
    });
  }

  run(service: ServiceName, action: ActionName, limits: ActionLimits) {
    if (this.#program.isDead) return new Promise<never>(() => {});
    return this.#program.whileAlive(this.#service8.run(service, action, limits));
  }

  inspect(service: ServiceName, limits: ReadLimits) {
    if (this.#program.isDead) return new Promise<never>(() => {});
    return this.#program.whileAlive(this.#service8.inspect(service, limits));
  }
}

/** The same numbers for the same seed, from 0 up to 1. */
export function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
