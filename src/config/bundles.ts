import type { ServiceName } from '../wire/fields.ts';
import { type Format, type Key, optionalKey, type RepeatedSection, requiredKey } from './key.ts';
import type { Check, Settings } from './reader.ts';
import { duration, listOf, matching, oneOf, serviceName } from './values.ts';

/** One section [bundle:NAME] of the agent's file. */
export interface BundleConfig {
  /** In the order in which they are started. */
  readonly services: readonly ServiceName[];
  /** Undefined: as it is usual for the action. */
  readonly stopOnError: boolean | undefined;
  readonly timeoutMs: number | undefined;
  readonly timeoutsMs: ReadonlyMap<string, number>;
}

const mostMembers = 100;
const beginning = 'bundle:';
const memberTimeout = duration(100, 86_400_000);

/** A service of the host, not a bundle. */
export const hostService: Format<ServiceName> = {
  expected: `${serviceName.expected} and is no bundle`,
  parse: (text) => (text.startsWith(beginning) ? undefined : serviceName.parse(text)),
};

const members: Format<readonly ServiceName[]> = {
  expected: `1 to ${mostMembers} services, each ${listOf(hostService).expected}`,
  parse: (text) => {
    const services = listOf(hostService).parse(text);
    return services !== undefined && services.length <= mostMembers ? services : undefined;
  },
};

const ownTimeout: Format<readonly [service: string, timeoutMs: number]> = {
  expected: `SERVICE:TIME with ${memberTimeout.expected}`,
  parse: (text) => {
    // A name may have colons, too.
    const at = text.lastIndexOf(':');
    const service = hostService.parse(text.slice(0, Math.max(0, at)).trim());
    const timeoutMs = memberTimeout.parse(text.slice(at + 1).trim());
    return service === undefined || timeoutMs === undefined ? undefined : [service, timeoutMs];
  },
};

export const bundleKeys = {
  services: requiredKey(
    'services',
    members,
    'The members, in the order in which they are started; they are stopped in reverse.',
  ),
  stopOnError: optionalKey(
    'stop_on_error',
    oneOf(['yes', 'no']),
    undefined,
    'Whether the first member that fails ends the action: by default yes, except that a stop goes on; with no, a failed start rolls nothing back.',
  ),
  timeout: optionalKey(
    'timeout',
    memberTimeout,
    undefined,
    'Seconds that each member may take; the time limit of the whole action holds as well.',
  ),
  timeouts: optionalKey('timeouts', listOf(ownTimeout), undefined, 'The same for single members.'),
};

export const bundleSections: RepeatedSection = {
  section: beginning,
  titles: matching(
    /^(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}$/,
    "a name of 1 to 100 letters, digits and _.+- that begins with a letter, digit or _ and has no '..'",
  ),
  keysIn: (section) => Object.values<Key<unknown>>(bundleKeys).map((key) => inSection(key, section)),
};

export function readBundles(settings: Settings): ReadonlyMap<string, BundleConfig> {
  return new Map(settings.titlesOf(bundleSections).map((title) => [title, readBundle(settings, title)]));
}

function readBundle(settings: Settings, title: string): BundleConfig {
  const stopOnError = settings.find(inBundle(bundleKeys.stopOnError, title));
  return {
    services: settings.get(inBundle(bundleKeys.services, title)),
    stopOnError: stopOnError === undefined ? undefined : stopOnError === 'yes',
    timeoutMs: settings.find(inBundle(bundleKeys.timeout, title)),
    timeoutsMs: new Map(settings.find(inBundle(bundleKeys.timeouts, title))),
  };
}

/** A time for a service that is no member is a typing error. */
export const refuseStrangeTimeouts: Check = (settings) =>
  settings.titlesOf(bundleSections).flatMap((title) => {
    const key = inBundle(bundleKeys.timeouts, title);
    const services = settings.find(inBundle(bundleKeys.services, title)) ?? [];
    const timed = (settings.find(key) ?? []).map(([service]) => service);
    const isGood = timed.every(
      (service, at) => services.some((each) => each === service) && timed.indexOf(service) === at,
    );
    return isGood || services.length === 0
      ? []
      : [{ key, expected: `one time for a member: ${services.join(', ')}` }];
  });

function inBundle<T>(key: Key<T>, title: string): Key<T> {
  return inSection(key, beginning + title);
}

function inSection<T>(key: Key<T>, section: string): Key<T> {
  return { ...key, section };
}
