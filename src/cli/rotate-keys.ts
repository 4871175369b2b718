import { type JoinDeps, join } from '../client/join.ts';
import { newSecretKeys, type SecretKeyFile } from '../security/key-file.ts';
import { type CurvePublic, isCurvePublic } from '../security/keys.ts';
import { type KnownManager, keysOfManager, withNextKey, withProvedKey } from '../security/known-manager.ts';
import type { KeyFolder } from '../store/key-folder.ts';
import { isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import { joinRoles, type NodeName } from '../wire/fields.ts';
import type { JoinReply } from '../wire/join.ts';
import { fingerprintOfKeys } from './formats/own-keys.ts';
import type { Output } from './output.ts';
import { loadKeys } from './own-keys.ts';

export interface RotationCommand {
  readonly folder: KeyFolder;
  /** The command that joins a manager. */
  readonly joinCommand: string;
  /** For each reply. */
  readonly timeoutMs: number;
}

export interface RotationContext extends JoinDeps {
  readonly output: Output;
}

/**
 * Has new keys known to every manager that was joined, and then uses them: undefined while some manager has still to
 * accept them. Stops at the first manager that does not take them, and goes on from there the next time. Rejects with
 * MANAGER_UNREACHABLE, BAD_CONFIG, or the code of a refusal.
 */
export async function rotateKeys(
  { folder, joinCommand, timeoutMs }: RotationCommand,
  context: RotationContext,
): Promise<SecretKeyFile | undefined> {
  const { output, clock } = context;
  const present = loadKeys(folder, joinCommand);
  const managers = folder.managers();
  if (managers.length === 0)
    throw new ServiceManagerError('BAD_CONFIG', `no manager was joined yet: run "${joinCommand}"`);
  const next = nextKeys(folder, present, clock.wallMs());
  for (const manager of managers) {
    const { reply, known } = await introduced(manager, { present, next, timeoutMs }, context);
    if (known !== manager) folder.keepManager(known);
    output.message(`manager ${manager.name}: ${reply.state}`);
    if (reply.state === 'accepted') continue;
    output.message(
      `type there: service-mgrd keys accept ${reply.fingerprint}, and run the same command again here`,
    );
    return undefined;
  }
  folder.promoteNext();
  output.message(`the keys of ${next.kind} ${next.name} are ${fingerprintOfKeys(next)} from now on`);
  return next;
}

/** Those with which an earlier attempt began, or new ones. */
function nextKeys(folder: KeyFolder, present: SecretKeyFile, nowWallMs: number): SecretKeyFile {
  const begun = folder.loadNext();
  const isPast = begun?.curve.publicKey === present.curve.publicKey;
  // They are the present ones already, and only the other file has still to go.
  if (isPast) folder.promoteNext();
  else if (begun !== undefined) return begun;
  const made = newSecretKeys(present.kind, present.name, nowWallMs);
  folder.createNext(made);
  return made;
}

interface Keys {
  readonly present: SecretKeyFile;
  readonly next: SecretKeyFile;
  readonly timeoutMs: number;
}

interface Introduced {
  readonly reply: JoinReply;
  /** What is known of the manager now. */
  readonly known: KnownManager;
}

/** A manager that has changed its own key meanwhile is known by the next one. */
async function introduced(manager: KnownManager, keys: Keys, context: RotationContext): Promise<Introduced> {
  let unreachable: unknown;
  for (const key of keysOfManager(manager)) {
    try {
      const reply = await introducedBy(key, manager, keys, context);
      const proved = withProvedKey(manager, key);
      const { nextKey } = reply;
      const isNews = nextKey !== undefined && isCurvePublic(nextKey);
      return { reply, known: isNews ? withNextKey(proved, nextKey) : proved };
    } catch (error) {
      if (!isServiceManagerError(error) || error.code !== 'MANAGER_UNREACHABLE') throw error;
      unreachable ??= error;
    }
  }
  const why = isServiceManagerError(unreachable) ? unreachable.message : 'it has no key';
  throw new ServiceManagerError(
    'MANAGER_UNREACHABLE',
    `manager ${manager.name} does not answer (${why}): the new keys are kept and the present ones stay in use; ` +
      'run the same command again when it is there',
    { cause: unreachable },
  );
}

/**
 * A manager that has accepted the next keys earlier may have forgotten the present ones by now, and then does not believe
 * that these replace them.
 */
async function introducedBy(
  manager: CurvePublic,
  { endpoints }: KnownManager,
  { present, next, timeoutMs }: Keys,
  context: RotationContext,
): Promise<JoinReply> {
  const role = joinRoles.find((each) => each === next.kind) ?? 'agent';
  const ask = (replaces: SecretKeyFile | undefined) => {
    const nowWallMs = Math.round(context.clock.wallMs());
    // Key files have only good names.
    const order = { role, name: next.name as NodeName, keys: next, manager, replaces, nowWallMs };
    return join(endpoints.join, order, timeoutMs, context);
  };
  try {
    return await ask(present);
  } catch (error) {
    if (!isServiceManagerError(error) || error.code !== 'UNAUTHENTICATED') throw error;
    return ask(undefined);
  }
}
