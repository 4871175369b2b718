import { Management } from '../../src/cli/daemon-management.ts';
import { ServiceManager } from '../../src/client/index.ts';
import type { Order } from '../../src/client/order.ts';
import type { ManagerConfig } from '../../src/manager/manager.ts';
import type { RequestId } from '../../src/wire/fields.ts';
import { Run } from '../fakes/client-run.ts';
import type { KeyOwner } from '../fakes/key-owners.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { FleetKeys } from './fleet-keys.ts';
import { ManagerHost, type World } from './manager-host.ts';
import { Network } from './network.ts';
import { Node, type NodeOptions } from './node.ts';
import { Program } from './program.ts';

export interface FleetOptions {
  /** Names of the managers. Default: `m1`. */
  readonly managers?: readonly string[];
  /** What is different in the configuration of each manager. */
  readonly managerConfig?: Partial<ManagerConfig>;
  /** Names of the nodes, or what else there is to say of each. */
  readonly nodes?: readonly (string | NodeOptions)[];
  /** Everybody has keys, and has joined all managers. */
  readonly isSecure?: boolean;
}

export interface ClientOptions {
  /** Which managers it asks, in this order. Default: all. */
  readonly managers?: readonly string[];
  readonly timeoutMs?: number;
  readonly retries?: number;
  readonly newId?: () => RequestId;
  /** Who asks, where there is security. Default: alice, an operator. */
  readonly as?: KeyOwner;
}

/** The whole road in one process: real managers, agents and clients on a memory bus, and time that moves when told. */
export class Fleet {
  readonly clock = new ManualClock();
  readonly network = new Network(this.clock);
  readonly managers: ManagerHost[] = [];
  readonly nodes: Node[] = [];
  readonly #crashes: unknown[] = [];
  readonly #world: World;
  #ids = 0;

  private constructor(isSecure: boolean) {
    this.#world = {
      ...{ clock: this.clock, network: this.network, newId: () => this.newId() },
      onCrash: (error: unknown) => void this.#crashes.push(error),
      keys: isSecure ? new FleetKeys() : undefined,
    };
  }

  /** Resolves when all have met. */
  static async start(options: FleetOptions = {}): Promise<Fleet> {
    const { managers = ['m1'], managerConfig, nodes = [], isSecure = false } = options;
    const fleet = new Fleet(isSecure);
    fleet.#world.keys?.people();
    for (const name of managers) {
      fleet.managers.push(new ManagerHost(name, fleet.managers.length, fleet.#world, managerConfig));
    }
    for (const node of nodes) fleet.add(typeof node === 'string' ? { name: node } : node);
    for (const manager of fleet.managers) await manager.start();
    for (const node of fleet.nodes) await node.start();
    await fleet.pass(0);
    return fleet;
  }

  /** A node that is not started yet. */
  add(options: NodeOptions): Node {
    this.#world.keys?.agent(options.nodeName ?? options.name);
    const node = new Node(options, this.nodes.length, this.managers, this.#world);
    this.nodes.push(node);
    return node;
  }

  /** The first manager, or the one of this name. */
  manager(name = 'm1'): ManagerHost {
    return found(
      this.managers.find((manager) => manager.name === name),
      name,
    );
  }

  node(name: string): Node {
    return found(
      this.nodes.find((node) => node.name === name),
      name,
    );
  }

  client({ managers, newId = () => this.newId(), as, ...options }: ClientOptions = {}): ServiceManager {
    const names = managers ?? this.managers.map(({ name }) => name);
    const endpoints = names.map((name) => this.manager(name).frontendEndpoint);
    const { sockets, clock } = new Program('client', this.network, this.clock);
    const { keys } = this.#world;
    const identity = keys?.identity(as ?? keys.operator(), this.managers);
    return new ServiceManager({ endpoints, ...options }, { sockets, clock, newId, identity });
  }

  /** Of everybody in a fleet with security. */
  get keys(): FleetKeys {
    return found(this.#world.keys, 'security');
  }

  /** What the owner of a manager does at its management socket. */
  async manage(cmd: string, args: unknown, { managementEndpoint: endpoint, keptKeys } = this.manager()) {
    const { sockets, clock } = new Program('owner', this.network, this.clock);
    const ownKeys = () => (this.#world.keys === undefined ? undefined : keptKeys.current);
    return this.settled(new Management({ endpoint, ownKeys, sockets, clock }).ask({ cmd, args }));
  }

  /** Sends the order and collects in the background. */
  send(order: Partial<Order>, client = this.client()): Run {
    const given = { topic: 'any', action: 'restart', service: 'nginx', ...order };
    return new Run(client.send(given), this.clock);
  }

  /** Sends the order and waits for its end. */
  async ask(order: Partial<Order>, client = this.client()): Promise<Run> {
    const run = this.send(order, client);
    await this.until(() => run.isOver, 'the client has ended', (order.windowMs ?? 5_000) + 1_000);
    return run;
  }

  async pass(byMs: number): Promise<void> {
    await this.clock.advanceAsync(byMs);
    if (this.#crashes.length > 0) throw this.#crashes[0];
  }

  /** The same in a tenth of the time, but what is sent may arrive a moment later than it would. */
  async hurry(byMs: number): Promise<void> {
    for (let leftMs = byMs; leftMs > 0; leftMs -= hurriedStepMs) {
      this.clock.advance(Math.min(hurriedStepMs, leftMs));
      await new Promise(setImmediate);
    }
    if (this.#crashes.length > 0) throw this.#crashes[0];
  }

  /** Lets time pass until the statement is true; fails when it is not within this time. */
  async until(statement: () => boolean, meaning: string, withinMs = 60_000): Promise<void> {
    const endMs = this.clock.now() + withinMs;
    await this.pass(0);
    while (!statement()) {
      if (this.clock.now() >= endMs) throw new Error(`not within ${withinMs} ms: ${meaning}`);
      await this.pass(stepMs);
    }
  }

  /** Lets time pass until the promise settles. */
  async settled<Value>(promise: Promise<Value>, withinMs = 60_000): Promise<Value> {
    let isSettled = false;
    const settled = promise.finally(() => {
      isSettled = true;
    });
    settled.catch(() => {});
    await this.until(() => isSettled, 'a promise has settled', withinMs);
    return settled;
  }

  newId(): RequestId {
    this.#ids += 1;
    return this.#ids.toString(16).padStart(32, '0') as RequestId;
  }
}

const stepMs = 10;
const hurriedStepMs = 20;

function found<Thing>(thing: Thing | undefined, name: string): Thing {
  if (thing === undefined) throw new Error(`there is no ${name}`);
  return thing;
}
