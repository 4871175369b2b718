import type { WantedSecurity } from './exposure.ts';
import { optionalKey } from './key.ts';
import { readSettings } from './reader.ts';
import { allowInsecureKey, modeKey, securityKey } from './security-keys.ts';
import { absolutePath, connectEndpoint, duration, listOf, wholeNumber } from './values.ts';

/** /etc/service-mgr/service-mgr-client.conf, which may be missing. The command line goes before it. */
export interface ClientConfig {
  /** Undefined: those of the managers that were joined. */
  readonly endpoints: readonly string[] | undefined;
  readonly windowMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
  /** What changes a service on more nodes than this is confirmed first. */
  readonly confirmAbove: number;
  readonly security: ClientSecurity;
}

/** [security] in the same file. */
export interface ClientSecurity extends WantedSecurity {
  /** Undefined: `.config/service-mgr` in the home directory of who runs the client. */
  readonly keyDir: string | undefined;
}

const dayMs = 86_400_000;
const hourMs = 3_600_000;

export const clientKeys = {
  endpoint: optionalKey(
    'endpoint',
    listOf(connectEndpoint),
    undefined,
    'The frontend of the manager; further managers, separated by commas, are asked when it does not answer; not set: those that were joined, else tcp://localhost:5500.',
  ),
  waitTime: optionalKey(
    'wait_time',
    duration(100, dayMs),
    '5',
    'Seconds to wait for the results of a request at most (-w).',
  ),
  timeout: optionalKey(
    'timeout',
    wholeNumber(1, hourMs),
    '1000',
    'Milliseconds to wait for the manager to accept a request (-t).',
  ),
  retries: optionalKey(
    'retries',
    wholeNumber(0, 100),
    '3',
    'How often a manager that did not answer is asked again (-r).',
  ),
  confirmAbove: optionalKey(
    'confirm_above',
    wholeNumber(0, 1_000_000),
    '20',
    'Ask before an action other than status and list runs on more nodes than this.',
  ),
  mode: modeKey(
    'With curve the client talks only to managers that were joined, and signs what it asks for; with none to all that it is told to; not set: curve if there is a key, else none.',
  ),
  allowInsecure: allowInsecureKey,
  keyDir: securityKey(
    'key_dir',
    absolutePath,
    undefined,
    'The directory with your keys and with the managers that you joined, instead of ~/.config/service-mgr.',
  ),
};

export function readClientConfig(text: string, fileName: string): ClientConfig {
  const settings = readSettings(text, fileName, Object.values(clientKeys));
  return {
    endpoints: settings.find(clientKeys.endpoint),
    windowMs: settings.get(clientKeys.waitTime),
    timeoutMs: settings.get(clientKeys.timeout),
    retries: settings.get(clientKeys.retries),
    confirmAbove: settings.get(clientKeys.confirmAbove),
    security: {
      mode: settings.find(clientKeys.mode) ?? 'auto',
      allowInsecure: settings.get(clientKeys.allowInsecure) === 'yes',
      keyDir: settings.find(clientKeys.keyDir),
    },
  };
}

/** What holds without a file: an empty one says the same. */
export const defaultClientConfig: ClientConfig = readClientConfig('', 'the built-in defaults');
