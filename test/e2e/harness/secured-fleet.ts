import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Connections } from '../../../src/client/connections.ts';
import { Identity } from '../../../src/client/identity.ts';
import { ServiceManager } from '../../../src/client/index.ts';
import { join as joinManager } from '../../../src/client/join.ts';
import { askManagement } from '../../../src/client/management.ts';
import { nodeClock } from '../../../src/platform/node/clock.ts';
import { newRequestId } from '../../../src/platform/node/ids.ts';
import type { ClientSecurity } from '../../../src/platform/socket-security.ts';
import { ZmqSockets } from '../../../src/platform/zmq/sockets.ts';
import { type JoinToken, readJoinToken } from '../../../src/security/join-token.ts';
import {
  keyFileTime,
  printPublicKeyFile,
  printSecretKeyFile,
  publicPartOf,
  readSecretKeyFile,
  type SecretKeyFile,
} from '../../../src/security/key-file.ts';
import { type CurveKeys, curveBytes, newCurveKeys, newSignKeys } from '../../../src/security/keys.ts';
import { type KnownManager, printKnownManager } from '../../../src/security/known-manager.ts';
import type { JoinRole, NodeName } from '../../../src/wire/fields.ts';
import type { Settings } from './daemon.ts';
import { type AgentOptions, type ManagerOptions, RunningAgent, RunningManager } from './fleet.ts';
import { isObject, type JsonObject } from './management.ts';
import { freeEndpoint } from './ports.ts';
import { onCleanUp } from './processes.ts';
import { temporaryFolder } from './temporary-folder.ts';

const deadlineMs = 10_000;
const pollMs = 20;

/** Somebody whom a manager knows, with what he knows of it. */
export interface Member {
  readonly keys: SecretKeyFile;
  readonly manager: KnownManager;
}

export interface SecuredManagerOptions extends ManagerOptions {
  readonly joinEndpoint?: string;
  /** More keys of [security]. */
  readonly security?: Settings;
  /** The text of its policy. */
  readonly policy?: string;
}

export interface SecuredAgentOptions extends Omit<AgentOptions, 'managers'> {
  readonly manager: SecuredManager;
  readonly security?: Settings;
  readonly policy?: string;
  /** In place of keys that the manager is given now. */
  readonly member?: Member;
  /** Whom it obeys: `trust = operators`. */
  readonly operators?: readonly SecretKeyFile[];
}

/** Starts our manager with keys of its own, which it makes at this first start. */
export async function startSecuredManager(options: SecuredManagerOptions = {}): Promise<SecuredManager> {
  const endpoints = {
    frontend: await freeEndpoint(),
    backend: await freeEndpoint(),
    sink: await freeEndpoint(),
    mgmt: await freeEndpoint(),
    publisher: await freeEndpoint(),
    ...options.endpoints,
  };
  const joinEndpoint = options.joinEndpoint ?? (await freeEndpoint());
  const manager = new SecuredManager(endpoints, joinEndpoint, options);
  await manager.start();
  return manager;
}

/** Starts our agent with keys that the manager knows, or with others. */
export async function startSecuredAgent(options: SecuredAgentOptions): Promise<SecuredAgent> {
  const { manager, nodeName = newName('node') } = options;
  const member = options.member ?? (await manager.enrol('agent', nodeName));
  const agent = new SecuredAgent(nodeName, await freeEndpoint(), member, options);
  await agent.start();
  return agent;
}

export class SecuredManager extends RunningManager {
  readonly joinEndpoint: string;
  readonly policyFile: string;

  constructor(
    endpoints: RunningManager['endpoints'],
    joinEndpoint: string,
    { security, policy, ...options }: SecuredManagerOptions,
  ) {
    const policyFile = join(temporaryFolder(), 'policy');
    if (policy !== undefined) writeFileSync(policyFile, policy);
    const own = { mode: 'curve', name: 'mgr1', join_endpoint: joinEndpoint, policy_file: policyFile };
    super(endpoints, { ...options, sections: { ...options.sections, security: { ...own, ...security } } });
    this.joinEndpoint = joinEndpoint;
    this.policyFile = policyFile;
  }

  get keys(): CurveKeys {
    const file = join(this.stateDir, 'manager.key');
    return readSecretKeyFile(readFileSync(file, 'utf8'), file).curve;
  }

  /** What whoever owns the manager asks of it. Rejects with the code of its refusal. */
  admin(cmd: string, args?: unknown): Promise<JsonObject> {
    return asOwner(this.endpoints.mgmt, this.keys, cmd, args);
  }

  override status(): Promise<JsonObject> {
    return this.admin('manager.status');
  }

  override async waitForSubscribers(count: number, withinMs = deadlineMs): Promise<number> {
    for (const endsAt = performance.now() + withinMs; ; ) {
      const { counters } = await this.status();
      const agents = isObject(counters) ? Number(counters['agents']) : 0;
      if (agents >= count) return agents;
      if (performance.now() > endsAt) throw new Error(`${this.label}: ${agents} agents, expected ${count}`);
      // Nothing announces a subscription to the outside.
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }

  async token(role: JoinRole, more: JsonObject = {}): Promise<JoinToken> {
    const { token } = await this.admin('manager.tokens.create', { role, ttlMs: 60_000, uses: 1, ...more });
    return readJoinToken(String(token));
  }

  /** New keys that the manager lets in from now on. */
  async enrol(role: JoinRole, name: string): Promise<Member> {
    const keys = keysOf(role, name);
    const sockets = new ZmqSockets();
    onCleanUp(() => sockets.close());
    const order = { role, name: name as NodeName, keys, manager: this.keys.publicKey };
    const token = await this.token(role);
    await joinManager(this.joinEndpoint, { ...order, token, nowWallMs: Date.now() }, deadlineMs, {
      ...{ sockets, clock: nodeClock },
    });
    return { keys, manager: this.known() };
  }

  /** As somebody knows it who has joined it. */
  known(): KnownManager {
    const { frontend, backend, sink } = this.endpoints;
    const endpoints = { join: this.joinEndpoint, frontend, backend, sink };
    return { name: 'mgr1', key: this.keys.publicKey, endpoints };
  }

  /** The lines of its audit log. */
  audited(event?: string): JsonObject[] {
    return auditLines(this.stateDir, event);
  }
}

export class SecuredAgent extends RunningAgent {
  readonly #own: CurveKeys;

  constructor(
    nodeName: string,
    mgmtEndpoint: string,
    { keys, manager: known }: Member,
    { manager, security, policy, operators, ...options }: SecuredAgentOptions,
  ) {
    const stateDir = options.stateDir ?? join(temporaryFolder(), 'state');
    const managers = join(stateDir, 'managers');
    const operatorsDir = join(temporaryFolder(), 'operators.d');
    const policyFile = join(temporaryFolder(), 'policy');
    mkdirSync(managers, { recursive: true });
    mkdirSync(operatorsDir);
    writeFileSync(join(stateDir, 'agent.key'), printSecretKeyFile(keys), { mode: 0o600 });
    writeFileSync(join(managers, `${known.name}.manager`), printKnownManager(known));
    if (policy !== undefined) writeFileSync(policyFile, policy);
    for (const operator of operators ?? []) writePublic(operatorsDir, operator);
    const trust = operators === undefined ? 'manager' : 'operators';
    const own = { mode: 'curve', trust, operators_dir: operatorsDir, policy_file: policyFile };
    const sections = { ...options.sections, security: { ...own, ...security } };
    super(nodeName, mgmtEndpoint, { ...options, managers: [manager], stateDir, sections });
    this.#own = keys.curve;
  }

  override status(): Promise<JsonObject> {
    return asOwner(this.mgmtEndpoint, this.#own, 'agent.status');
  }

  audited(event?: string): JsonObject[] {
    return auditLines(this.stateDir, event);
  }
}

/** The library as somebody uses it who has joined. */
export function clientOf({ keys, manager }: Member): ServiceManager {
  const sockets = new ZmqSockets();
  const identity = new Identity({ keys, managers: [manager], keep: () => {} });
  const client = new ServiceManager({}, { sockets, clock: nodeClock, newId: newRequestId, identity });
  onCleanUp(async () => {
    await client.close();
    await sockets.close();
  });
  return client;
}

/** A configuration of the client with these keys: to be put in front of its command line. */
export function clientArgs({ keys, manager }: Member): string[] {
  const folder = temporaryFolder();
  const keyDir = join(folder, 'keys');
  mkdirSync(join(keyDir, 'managers'), { recursive: true });
  writeFileSync(join(keyDir, 'client.key'), printSecretKeyFile(keys), { mode: 0o600 });
  writeFileSync(join(keyDir, 'managers', `${manager.name}.manager`), printKnownManager(manager));
  const file = join(folder, 'client.conf');
  writeFileSync(file, `[security]\nkey_dir = ${keyDir}\n`);
  return ['-f', file];
}

/** Keys that nobody knows yet. */
export function keysOf(kind: JoinRole, name: string): SecretKeyFile {
  const created = keyFileTime(Date.now());
  const sign = kind === 'agent' ? {} : { sign: newSignKeys() };
  return { kind, name, created, curve: newCurveKeys(), ...sign };
}

/** What somebody with these keys speaks with a server that has this one. */
export function securityOf(
  { publicKey, secretKey }: CurveKeys,
  server: CurveKeys['publicKey'],
): ClientSecurity {
  const own = { publicKey: curveBytes(publicKey), secretKey: curveBytes(secretKey) };
  return { kind: 'client', ...own, serverKeys: [curveBytes(server)] };
}

let names = 0;

/** A name that nobody had before. */
export function newName(beginning: string): string {
  names += 1;
  return `${beginning}-${names}`;
}

// A context of ZeroMQ is gone only with the garbage, and one is asked often.
let ownersSockets: ZmqSockets | undefined;

async function asOwner(endpoint: string, own: CurveKeys, cmd: string, args?: unknown): Promise<JsonObject> {
  ownersSockets ??= new ZmqSockets();
  const securities = { securityOf: () => securityOf(own, own.publicKey), proved: () => {} };
  await using connections = new Connections(ownersSockets, nodeClock, securities);
  const command = args === undefined ? { cmd } : { cmd, args };
  const reply = await askManagement(endpoint, command, deadlineMs, connections);
  return isObject(reply.result) ? reply.result : {};
}

function writePublic(folder: string, keys: SecretKeyFile): void {
  writeFileSync(join(folder, `${keys.name}.pub`), printPublicKeyFile(publicPartOf(keys)), { mode: 0o644 });
}

function auditLines(stateDir: string, event: string | undefined): JsonObject[] {
  const lines = readFileSync(join(stateDir, 'audit.log'), 'utf8').split('\n');
  const records = lines.filter((line) => line !== '').map((line): unknown => JSON.parse(line));
  return records.filter(isObject).filter((record) => event === undefined || record['event'] === event);
}
