import { optionalKey } from './key.ts';
import { readSettings } from './reader.ts';
import { connectEndpoint, duration, listOf, wholeNumber } from './values.ts';

/** /etc/service-mgr/service-mgr-client.conf, which may be missing. The command line goes before it. */
export interface ClientConfig {
  readonly endpoints: readonly string[];
  readonly windowMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
  /** What changes a service on more nodes than this is confirmed first. */
  readonly confirmAbove: number;
}

const dayMs = 86_400_000;
const hourMs = 3_600_000;

export const clientKeys = {
  endpoint: optionalKey(
    'endpoint',
    listOf(connectEndpoint),
    'tcp://localhost:5500',
    'The frontend of the manager; further managers, separated by commas, are asked when it does not answer.',
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
};

export function readClientConfig(text: string, fileName: string): ClientConfig {
  const settings = readSettings(text, fileName, Object.values(clientKeys));
  return {
    endpoints: settings.get(clientKeys.endpoint),
    windowMs: settings.get(clientKeys.waitTime),
    timeoutMs: settings.get(clientKeys.timeout),
    retries: settings.get(clientKeys.retries),
    confirmAbove: settings.get(clientKeys.confirmAbove),
  };
}

/** What holds without a file: an empty one says the same. */
export const defaultClientConfig: ClientConfig = readClientConfig('', 'the built-in defaults');
