import { nodeName } from '../config/values.ts';
import type { JoinToken } from '../security/join-token.ts';
import { newSecretKeys, type SecretKeyFile } from '../security/key-file.ts';
import type { KeyFolder } from '../store/key-folder.ts';
import { ServiceManagerError } from '../wire/errors.ts';
import { type JoinRole, joinRoles, type NodeName } from '../wire/fields.ts';

/** A program that joins managers. */
export interface Joiner {
  readonly folder: KeyFolder;
  /** As what it may join; the first one where nothing says which. */
  readonly roles: readonly [JoinRole, ...JoinRole[]];
  /** Something beside token and keys that says how it is called: `this node is called web1`. */
  readonly named: Naming | undefined;
  /** How it is called where nothing says that. */
  readonly usualName: string;
}

interface Naming {
  readonly says: string;
  readonly name: string;
}

/** Who joins. */
export interface Joining {
  readonly role: JoinRole;
  readonly name: NodeName;
  readonly keys: SecretKeyFile;
  readonly isNew: boolean;
}

/**
 * The keys to join with: those that are there, or new ones that are kept from now on. Throws BAD_USAGE where token, keys
 * and program do not fit together, and BAD_CONFIG.
 */
export function joiningKeys(joiner: Joiner, token: JoinToken | undefined, nowWallMs: number): Joining {
  const { folder } = joiner;
  const known = folder.load();
  const role = roleOf(joiner, token, known);
  const name = nameOf(joiner, token, known);
  if (known !== undefined) return { role, name, keys: known, isNew: false };
  const keys = newSecretKeys(role, name, nowWallMs);
  folder.create(keys);
  return { role, name, keys, isNew: true };
}

function roleOf(
  { folder, roles }: Joiner,
  token: JoinToken | undefined,
  known: SecretKeyFile | undefined,
): JoinRole {
  const kept = joinRoles.find((role) => role === known?.kind);
  const role = token?.role ?? kept ?? roles[0];
  if (!roles.includes(role)) {
    const program = role === 'agent' ? 'service-mgr-agentd' : 'service-mgr-client';
    throw badUsage(`the join token is for ${some(role)}: it is to be used with "${program} join"`);
  }
  if (known === undefined || known.kind === role) return role;
  const { kind, name } = known;
  throw badUsage(
    `the join token is for ${some(role)}, but ${folder.keyFile} has the keys of ${kind} ${name}`,
  );
}

/** All that say how it is called have to say the same. */
function nameOf(
  { folder, named, usualName }: Joiner,
  token: JoinToken | undefined,
  known: SecretKeyFile | undefined,
): NodeName {
  const namings: readonly Naming[] = [
    ...(token?.name === undefined ? [] : [{ says: 'the join token is for', name: token.name }]),
    ...(named === undefined ? [] : [named]),
    ...(known === undefined ? [] : [{ says: `${folder.keyFile} has the keys of`, name: known.name }]),
  ];
  const [first, ...others] = namings;
  const other = others.find(({ name }) => name !== first?.name);
  if (first !== undefined && other !== undefined)
    throw badUsage(`${first.says} ${first.name}, but ${other.says} ${other.name}`);
  return keyName(first?.name ?? usualName);
}

/** Throws BAD_USAGE for what is no name of keys, as some login names are. */
export function keyName(text: string): NodeName {
  const name = nodeName.parse(text);
  if (name !== undefined) return name;
  throw badUsage(`${JSON.stringify(text)} is no name for keys, expected ${nodeName.expected}: say --name`);
}

function some(role: JoinRole): string {
  return role === 'monitor' ? `a ${role}` : `an ${role}`;
}

function badUsage(message: string): ServiceManagerError {
  return new ServiceManagerError('BAD_USAGE', message);
}
