import { type LogLevel, logLevels } from '../platform/log.ts';
import { type Key, optionalKey, requiredKey } from './key.ts';
import {
  type ManagerSecurity,
  managerSecurityForRestart,
  managerSecurityKeys,
  readManagerSecurity,
} from './manager-security.ts';
import { type Check, type Refusal, readSettings, type Settings } from './reader.ts';
import { keysThatDiffer } from './reload.ts';
import {
  absolutePath,
  bindEndpoint,
  bindTcpEndpoint,
  byteSize,
  duration,
  oneOf,
  wholeNumber,
} from './values.ts';

/** /etc/service-mgr/service-mgrd.conf */
export interface ManagerConfig {
  readonly frontendEndpoint: string;
  readonly backendEndpoint: string;
  readonly sinkEndpoint: string;
  readonly mgmtEndpoint: string;
  readonly publisherEndpoint: string;
  readonly stateDir: string;
  /** How much of the past is kept. */
  readonly history: {
    readonly maxAgeMs: number;
    readonly maxRequests: number;
    readonly maxBytes: number;
  };
  readonly logLevel: LogLevel;
  readonly security: ManagerSecurity;
}

const dayMs = 86_400_000;

const sockets = {
  frontendEndpoint: requiredKey('frontend_endpoint', bindEndpoint, 'Where clients send their requests.'),
  backendEndpoint: requiredKey(
    'backend_endpoint',
    bindEndpoint,
    'Where agents subscribe to the topics they listen to.',
  ),
  sinkEndpoint: requiredKey(
    'sink_endpoint',
    bindEndpoint,
    'Where agents deliver their presence and results.',
  ),
  mgmtEndpoint: requiredKey(
    'mgmt_endpoint',
    bindEndpoint,
    'Where "service-mgrd status" and "service-mgrd stop" reach the manager; tcp://127.0.0.1:PORT keeps it to this host.',
  ),
  publisherEndpoint: optionalKey(
    'publisher_endpoint',
    bindTcpEndpoint,
    'tcp://*:5750',
    'Where clients collect the results of their requests; port * picks a free one.',
  ),
};

const boundSockets = [...Object.values(sockets), managerSecurityKeys.joinEndpoint];

export const managerKeys = {
  ...sockets,
  stateDir: optionalKey(
    'state_dir',
    absolutePath,
    '/var/lib/service-mgr',
    'The directory in which the manager keeps what has to survive a restart.',
  ),
  historyMaxAge: optionalKey(
    'history_max_age',
    duration(60_000, 3_650 * dayMs),
    '30d',
    'Requests that ended longer ago than this are forgotten.',
  ),
  historyMaxRequests: optionalKey(
    'history_max_requests',
    wholeNumber(1, 10_000_000),
    '100000',
    'The oldest requests beyond this number are forgotten.',
  ),
  historyMaxBytes: optionalKey(
    'history_max_bytes',
    byteSize(1024 * 1024, 1024 ** 4),
    '1GiB',
    'The oldest requests are forgotten when all answers together take more than this.',
  ),
  logLevel: optionalKey(
    'log_level',
    oneOf(logLevels),
    'info',
    'What the log says at least: debug, info, warn or error.',
  ),
  ...managerSecurityKeys,
};

export function readManagerConfig(text: string, fileName: string): ManagerConfig {
  const settings = readSettings(text, fileName, Object.values(managerKeys), [refuseSharedPlaces]);
  return {
    frontendEndpoint: settings.get(managerKeys.frontendEndpoint),
    backendEndpoint: settings.get(managerKeys.backendEndpoint),
    sinkEndpoint: settings.get(managerKeys.sinkEndpoint),
    mgmtEndpoint: settings.get(managerKeys.mgmtEndpoint),
    publisherEndpoint: settings.get(managerKeys.publisherEndpoint),
    stateDir: settings.get(managerKeys.stateDir),
    history: {
      maxAgeMs: settings.get(managerKeys.historyMaxAge),
      maxRequests: settings.get(managerKeys.historyMaxRequests),
      maxBytes: settings.get(managerKeys.historyMaxBytes),
    },
    logLevel: settings.get(managerKeys.logLevel),
    security: readManagerSecurity(settings),
  };
}

const refuseSharedPlaces: Check = (settings) => {
  const owners = new Map<string, Key<string>>();
  const refusals: Refusal[] = [];
  for (const key of boundSockets) {
    const place = placeOf(key, settings);
    const owner = place === undefined ? undefined : owners.get(place);
    if (owner !== undefined) refusals.push(refuseOneOf(owner, key, settings));
    else if (place !== undefined) owners.set(place, key);
  }
  return refusals;
};

/** What only one socket can have: the port on whichever address, or the path. A free port is never shared. */
function placeOf(key: Key<string>, settings: Settings): string | undefined {
  const endpoint = settings.find(key);
  if (endpoint === undefined || endpoint.endsWith(':*')) return undefined;
  // A client finds the publisher by the frontend's host and the publisher's port, so another address does not help.
  return endpoint.startsWith('tcp:') ? endpoint.slice(endpoint.lastIndexOf(':')) : endpoint;
}

/** The later of the two is blamed, unless it is a default that stands nowhere in the file. */
function refuseOneOf(owner: Key<string>, key: Key<string>, settings: Settings): Refusal {
  const [blamed, other] = settings.isWritten(key) ? [key, owner] : [owner, key];
  return { key: blamed, expected: `another place than ${settings.get(other)} of ${other.key}` };
}

/** What a running manager takes over at once. */
type Live = 'history' | 'logLevel';

const fixed: Readonly<Record<Exclude<keyof ManagerConfig, Live | 'security'>, Key<unknown>>> = {
  ...sockets,
  stateDir: managerKeys.stateDir,
};

/** The keys of which the values differ, but only take effect at the next start. */
export function managerKeysForRestart(running: ManagerConfig, next: ManagerConfig): string[] {
  return [
    ...keysThatDiffer(fixed, running, next),
    ...managerSecurityForRestart(running.security, next.security),
  ];
}
