import type { NodeName } from '../wire/fields.ts';
import type { WantedSecurity } from './exposure.ts';
import type { Format, Key } from './key.ts';
import type { Settings } from './reader.ts';
import { keysThatDiffer } from './reload.ts';
import { allowInsecureKey, auditKey, auditMaxBytesKey, modeKey, securityKey } from './security-keys.ts';
import { absolutePath, bindEndpoint, nodeName, wholeNumber } from './values.ts';

/** [security] in service-mgrd.conf */
export interface ManagerSecurity extends WantedSecurity {
  /** What it calls itself to who joins. Undefined: the host name. */
  readonly name: NodeName | undefined;
  /** Undefined: `manager.key` in the state directory. */
  readonly keyFile: string | undefined;
  /** Undefined: nobody can ask to be let in. */
  readonly joinEndpoint: string | undefined;
  /** May be missing. */
  readonly policyFile: string;
  readonly isAudited: boolean;
  readonly auditMaxBytes: number;
  /** Of each operator. */
  readonly requestsPerSecond: number;
  /** Of each operator. */
  readonly openRequests: number;
  /** Of each socket. */
  readonly maxConnections: number;
  /** Keys that wait for a decision. */
  readonly maxPending: number;
}

/** In the place of an endpoint. */
const noEndpoint = 'none';

const endpointOrNone: Format<string> = {
  expected: `${bindEndpoint.expected}, or ${noEndpoint}`,
  parse: (text) => (text === noEndpoint ? text : bindEndpoint.parse(text)),
};

export const managerSecurityKeys = {
  mode: modeKey(
    'With curve only those come in whose key the manager knows, with none everybody does; not set: curve if the manager has a key, else none.',
  ),
  allowInsecure: allowInsecureKey,
  name: securityKey(
    'name',
    nodeName,
    undefined,
    'What the manager calls itself to those who join it, instead of its host name.',
  ),
  keyFile: securityKey(
    'key_file',
    absolutePath,
    undefined,
    'The file with the secret key of the manager, instead of manager.key in state_dir.',
  ),
  joinEndpoint: securityKey(
    'join_endpoint',
    endpointOrNone,
    'tcp://*:5850',
    'Where agents and operators whose key is not known yet ask to be let in; none: nobody can.',
  ),
  policyFile: securityKey(
    'policy_file',
    absolutePath,
    '/etc/service-mgr/service-mgrd.policy',
    'The rules that say who may do what; without this file operators may do everything, and monitors look.',
  ),
  isAudited: auditKey,
  auditMaxBytes: auditMaxBytesKey('1GiB'),
  requestsPerSecond: securityKey(
    'requests_per_second',
    wholeNumber(1, 100_000),
    '100',
    'How many requests each operator may send in a second.',
  ),
  openRequests: securityKey(
    'open_requests',
    wholeNumber(1, 10_000),
    '1000',
    'How many requests of each operator may be open at the same time.',
  ),
  maxConnections: securityKey(
    'max_connections',
    wholeNumber(1, 1_000_000),
    '20000',
    'How many connections each socket of the manager takes.',
  ),
  maxPending: securityKey(
    'max_pending',
    wholeNumber(1, 100_000),
    '1000',
    'How many unknown keys may wait to be accepted or rejected.',
  ),
};

export function readManagerSecurity(settings: Settings): ManagerSecurity {
  const keys = managerSecurityKeys;
  const joinEndpoint = settings.get(keys.joinEndpoint);
  return {
    mode: settings.find(keys.mode) ?? 'auto',
    allowInsecure: settings.get(keys.allowInsecure) === 'yes',
    name: settings.find(keys.name),
    keyFile: settings.find(keys.keyFile),
    joinEndpoint: joinEndpoint === noEndpoint ? undefined : joinEndpoint,
    policyFile: settings.get(keys.policyFile),
    isAudited: settings.get(keys.isAudited) === 'yes',
    auditMaxBytes: settings.get(keys.auditMaxBytes),
    requestsPerSecond: settings.get(keys.requestsPerSecond),
    openRequests: settings.get(keys.openRequests),
    maxConnections: settings.get(keys.maxConnections),
    maxPending: settings.get(keys.maxPending),
  };
}

/** What a running manager takes over at once. */
type Live = 'requestsPerSecond' | 'openRequests' | 'policyFile';

const { requestsPerSecond: _, openRequests: __, policyFile: ___, ...others } = managerSecurityKeys;
const fixed: Readonly<Record<Exclude<keyof ManagerSecurity, Live>, Key<unknown>>> = others;

/** The keys of which the values differ, but only take effect at the next start. */
export function managerSecurityForRestart(running: ManagerSecurity, next: ManagerSecurity): string[] {
  return keysThatDiffer(fixed, running, next);
}
