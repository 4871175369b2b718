import type { QueryName } from '../wire/query.ts';
import type { sinkTypes } from '../wire/sink.ts';

/** `owner`: has the manager's own secret key, as who can read its key file. `stranger`: knows the manager's public key. */
export type Visitor = 'agent' | 'operator' | 'monitor' | 'owner' | 'stranger';

/** The sockets of a manager, by the domains of their admission, and the messages that each of them knows. */
interface MessagesOfDoors {
  readonly frontend: 'request' | `query ${QueryName}`;
  readonly backend: 'subscription';
  readonly sink: (typeof sinkTypes)[number];
  readonly publisher: 'subscription';
  readonly management: ManagementCommand;
  readonly join: 'join';
}
export type Door = keyof MessagesOfDoors;

export const managementCommands = [
  'manager.status',
  'manager.shutdown',
  'manager.keys.list',
  'manager.keys.accept',
  'manager.keys.reject',
  'manager.keys.revoke',
  'manager.keys.remove',
  'manager.keys.rotate',
  'manager.tokens.list',
  'manager.tokens.create',
  'manager.tokens.remove',
  'manager.policy.test',
  'manager.audit.head',
] as const;
export type ManagementCommand = (typeof managementCommands)[number];

type Table = { readonly [Name in Door]: Readonly<Record<MessagesOfDoors[Name], readonly Visitor[]>> };

const people: readonly Visitor[] = ['operator', 'monitor'];
const operators: readonly Visitor[] = ['operator'];
const agents: readonly Visitor[] = ['agent'];
const owner: readonly Visitor[] = ['owner'];

/**
 * Who may send what, where there is security. What is not in this table is taken from nobody. Whether somebody may do
 * what a request asks for, the policy says besides.
 */
export const doors: Table = {
  frontend: {
    request: people,
    'query nodes': people,
    'query plan': people,
    'query requests': people,
    'query request': people,
    'query answers': people,
    'query forget': operators,
    'query cancel': operators,
  },
  backend: { subscription: agents },
  sink: { result: agents, ack: agents, output: agents, hello: agents, beat: agents, bye: agents },
  publisher: { subscription: people },
  management: {
    'manager.status': owner,
    'manager.shutdown': owner,
    'manager.keys.list': owner,
    'manager.keys.accept': owner,
    'manager.keys.reject': owner,
    'manager.keys.revoke': owner,
    'manager.keys.remove': owner,
    'manager.keys.rotate': owner,
    'manager.tokens.list': owner,
    'manager.tokens.create': owner,
    'manager.tokens.remove': owner,
    'manager.policy.test': owner,
    'manager.audit.head': owner,
  },
  join: { join: ['stranger'] },
};

/** Queries that change something: a copy of one must not be taken again. */
export const changingQueries: ReadonlySet<QueryName> = new Set<QueryName>(['forget', 'cancel']);

export function isDoor(text: string): text is Door {
  return Object.hasOwn(doors, text);
}

/** Whether any message of this visitor is taken there: else his connection is refused already. */
export function mayEnter(door: Door, visitor: Visitor): boolean {
  return Object.values(doors[door]).some((visitors: readonly Visitor[]) => visitors.includes(visitor));
}

export function maySend<Name extends Door>(
  door: Name,
  type: MessagesOfDoors[Name],
  visitor: Visitor,
): boolean {
  const visitors: readonly Visitor[] | undefined = doors[door][type];
  return visitors?.includes(visitor) === true;
}
