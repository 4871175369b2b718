import { type JoinDeps, join } from '../client/join.ts';
import { sleep } from '../platform/clock.ts';
import type { JoinOrder } from '../security/join-request.ts';
import { type JoinToken, readJoinToken } from '../security/join-token.ts';
import { type CurvePublic, isCurvePublic } from '../security/keys.ts';
import { type KnownManager, keysOfManager } from '../security/known-manager.ts';
import type { KeyFolder } from '../store/key-folder.ts';
import { type ErrorCode, isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import type { JoinReply, ManagerPorts } from '../wire/join.ts';
import { type Joiner, type Joining, joiningKeys } from './join-keys.ts';
import type { Output } from './output.ts';

export interface JoinCommand {
  readonly joiner: Joiner;
  /** As it was typed. */
  readonly token: string | undefined;
  /** Of the join socket. */
  readonly endpoint: string;
  readonly managerKey: CurvePublic | undefined;
  /** For a decision; 0: it is asked once. */
  readonly waitMs: number;
  /** For each reply. */
  readonly timeoutMs: number;
}

export interface JoinContext extends JoinDeps {
  readonly output: Output;
  /** Ctrl-C, where the program does not end of it by itself. */
  readonly interrupted?: AbortSignal;
}

const pauseMs = 2_000;

// With these a manager says that it has not taken the key, and will not.
const finalRefusals: ReadonlySet<ErrorCode> = new Set(['BAD_TOKEN', 'NAME_TAKEN', 'KEY_REFUSED']);

/**
 * Asks a manager to be let in, and keeps what is known of it then. Says what has happened on standard error. Keys that were
 * made for this and that the manager refuses are taken away again. Rejects as `join` does, and with BAD_USAGE, BAD_CONFIG
 * or NAME_TAKEN.
 */
export async function joinManager(command: JoinCommand, context: JoinContext): Promise<JoinReply['state']> {
  const { joiner, endpoint, timeoutMs } = command;
  const { output, clock } = context;
  const token = command.token === undefined ? undefined : readJoinToken(command.token);
  const manager = managerKeyOf(token, command.managerKey);
  const joining = joiningKeys(joiner, token, clock.wallMs());
  const { role, name, keys, isNew } = joining;
  if (isNew) output.message(`made the keys of ${role} ${name}: ${joiner.folder.keyFile}`);
  const ask = () => {
    const order: JoinOrder = { role, name, keys, manager, token, nowWallMs: Math.round(clock.wallMs()) };
    return join(endpoint, order, timeoutMs, context);
  };
  const onPending = (first: JoinReply) => sayPending(first, joining, output);
  const reply = await askUntilDecided(ask, onPending, command.waitMs, context).catch((error: unknown) => {
    throw isFinalRefusal(error) && isNew ? afterRefusal(error, joining, command, output) : error;
  });
  if (reply.state === 'pending') {
    output.message('when it has accepted the key, run the same command again');
    return 'pending';
  }
  joiner.folder.keepManager(knownManager(reply, manager, endpoint, joiner.folder));
  output.message(`joined manager ${reply.manager} as ${role} ${name}, ${reply.fingerprint}`);
  return 'accepted';
}

function managerKeyOf(token: JoinToken | undefined, typed: CurvePublic | undefined): CurvePublic {
  const key = token?.manager ?? typed;
  if (key === undefined)
    throw badUsage(
      'expected a join token (service-mgrd token create), or --manager-key with the public key that "service-mgrd keys show" prints',
    );
  if (typed !== undefined && typed !== key)
    throw badUsage('the join token is for another manager than --manager-key');
  return key;
}

/** Asks again as long as somebody has to decide and it may be waited for. */
async function askUntilDecided(
  ask: () => Promise<JoinReply>,
  onPending: (reply: JoinReply) => void,
  waitMs: number,
  { clock, interrupted }: JoinContext,
): Promise<JoinReply> {
  const endMs = clock.now() + waitMs;
  let reply = await ask();
  if (reply.state === 'pending') onPending(reply);
  while (reply.state === 'pending' && clock.now() + pauseMs <= endMs) {
    await sleep(clock, pauseMs, interrupted);
    if (interrupted?.aborted) break;
    reply = (await unlessAway(ask)) ?? reply;
  }
  return reply;
}

/** A manager that is restarted meanwhile has not decided against it. */
async function unlessAway(ask: () => Promise<JoinReply>): Promise<JoinReply | undefined> {
  try {
    return await ask();
  } catch (error) {
    const isAway =
      isServiceManagerError(error) && (error.code === 'MANAGER_UNREACHABLE' || error.code === 'TOO_BUSY');
    if (!isAway) throw error;
    return undefined;
  }
}

function isFinalRefusal(error: unknown): error is ServiceManagerError {
  return isServiceManagerError(error) && finalRefusals.has(error.code);
}

/** Takes the new keys away: the next try is to be free to choose a name and a role. */
function afterRefusal(
  error: ServiceManagerError,
  { role, name, keys }: Joining,
  { joiner: { folder }, token }: JoinCommand,
  output: Output,
): ServiceManagerError {
  folder.discard(keys);
  output.message(`took the keys of ${role} ${name} away again: ${folder.keyFile}`);
  const isNamedByToken = token !== undefined && readJoinToken(token).name !== undefined;
  if (error.code !== 'NAME_TAKEN' || role === 'agent' || isNamedByToken) return error;
  const message = `${error.message}; --name chooses another name`;
  return new ServiceManagerError(error.code, message, { cause: error });
}

function sayPending({ manager, fingerprint }: JoinReply, { role, name }: Joining, output: Output): void {
  output.message(`manager ${manager} has still to accept the key of ${role} ${name}, ${fingerprint}`);
  output.message(`type there: service-mgrd keys accept ${fingerprint}`);
}

function knownManager(
  { manager: name, ports, nextKey }: JoinReply,
  key: CurvePublic,
  endpoint: string,
  folder: KeyFolder,
): KnownManager {
  const other = folder.managers().find((known) => known.name === name && !keysOfManager(known).includes(key));
  if (other !== undefined)
    throw new ServiceManagerError(
      'NAME_TAKEN',
      `another manager of the name ${name} was joined already, with another key: if this one has taken its place, ` +
        `remove ${folder.managerFile(name)}, and join again`,
    );
  const next = nextKey !== undefined && isCurvePublic(nextKey) ? { nextKey } : {};
  return { name, key, ...next, endpoints: { join: endpoint, ...reachedBy(endpoint, ports) } };
}

/** All sockets of a manager are on one host. */
function reachedBy(
  endpoint: string,
  { frontend, backend, sink }: ManagerPorts,
): Omit<KnownManager['endpoints'], 'join'> {
  const host = endpoint.slice(0, endpoint.lastIndexOf(':'));
  const at = (port: number) => (port === 0 ? undefined : `${host}:${port}`);
  return { frontend: at(frontend), backend: at(backend), sink: at(sink) };
}

function badUsage(message: string): ServiceManagerError {
  return new ServiceManagerError('BAD_USAGE', message);
}
