import { message } from '../wire/codec.ts';
import { isServiceManagerError } from '../wire/errors.ts';
import { ActionName, NodeName, ServiceName, Topic } from '../wire/fields.ts';
import type { Format } from './key.ts';

const tcpEndpoint = /^tcp:\/\/(\*|[A-Za-z0-9_][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+\]):(\*|[1-9][0-9]{0,4})$/;
// Relative paths are out: a daemon works in /. The system allows 107 bytes for the name of a socket.
const ipcEndpoint = /^ipc:\/\/[/@][!-~]{1,106}$/;
const highestPort = 65_535;

/** For sockets that others connect to. */
export const bindEndpoint: Format<string> = {
  expected: 'tcp://HOST:PORT or ipc://PATH (HOST and PORT may be *, PORT is 1 to 65535, PATH is absolute)',
  parse: (text) => (isEndpoint(text) ? text : undefined),
};

/** For a socket of which others are told nothing but its port. */
export const bindTcpEndpoint: Format<string> = {
  expected: 'tcp://HOST:PORT (HOST and PORT may be *, PORT is 1 to 65535)',
  parse: (text) => (text.startsWith('tcp:') ? bindEndpoint.parse(text) : undefined),
};

/** For sockets that connect to others: a place has to be named. */
export const connectEndpoint: Format<string> = {
  expected: 'tcp://HOST:PORT or ipc://PATH (PORT is 1 to 65535, PATH is absolute)',
  parse: (text) => (isEndpoint(text) && !text.includes('*') ? text : undefined),
};

function isEndpoint(text: string): boolean {
  const port = tcpEndpoint.exec(text)?.[2];
  return port === undefined ? ipcEndpoint.test(text) : port === '*' || Number(port) <= highestPort;
}

/** At least one, separated by commas: an item cannot contain a comma. */
export function listOf<T>(item: Format<T>): Format<readonly T[]> {
  return {
    expected: `${item.expected}; several different ones are separated by commas, without quotes around each`,
    parse: (text) => parseItems(text.split(','), item),
  };
}

/** As listOf, but nothing is a list too. */
export function listOrNone<T>(item: Format<T>): Format<readonly T[]> {
  const list = listOf(item);
  return { expected: list.expected, parse: (text) => (text === '' ? [] : list.parse(text)) };
}

function parseItems<T>(texts: readonly string[], item: Format<T>): readonly T[] | undefined {
  const items: T[] = [];
  const seen = new Set<string>();
  for (const text of texts.map((part) => part.trim())) {
    // The ini rules take quotes off whole values only; what is left of them would end up in a topic.
    const parsed = seen.has(text) || /^["']/.test(text) ? undefined : item.parse(text);
    if (parsed === undefined) return undefined;
    items.push(parsed);
    seen.add(text);
  }
  return items;
}

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** In milliseconds; written in seconds, or with its unit. */
export function duration(leastMs: number, mostMs: number): Format<number> {
  const seconds = (ms: number) => ms / 1_000;
  const parse = (text: string): number | undefined => {
    const [, number, unit] = /^([0-9]{1,9}(?:\.[0-9]{1,9})?)([smhd]?)$/.exec(text) ?? [];
    const factor = unitMs[unit || 's'] ?? Number.NaN;
    return within(Math.round(Number(number) * factor), leastMs, mostMs);
  };
  const examples = suchAs(['5', '0.5', '90s', '5m', '1h', '7d'], parse);
  return { expected: `a time from ${seconds(leastMs)} to ${seconds(mostMs)} seconds${examples}`, parse };
}

/** `, such as 5, 5m or 1h`: those examples that are good. */
function suchAs(examples: readonly string[], parse: (text: string) => number | undefined): string {
  const good = examples.filter((example) => parse(example) !== undefined);
  const list = good.join(', ').replace(/, ([^,]*)$/, ' or $1');
  return good.length === 0 ? '' : `, such as ${list}`;
}

const unitBytes: Readonly<Record<string, number>> = { '': 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 };

/** In bytes; written as a number, or with its unit. */
export function byteSize(least: number, most: number): Format<number> {
  const parse = (text: string): number | undefined => {
    const [, number, unit] = /^([0-9]{1,12})(KiB|MiB|GiB)?$/.exec(text) ?? [];
    const factor = unitBytes[unit ?? ''] ?? Number.NaN;
    return within(Number(number) * factor, least, most);
  };
  const examples = suchAs([`${least}`, '64KiB', '64MiB'], parse);
  return { expected: `a size from ${least} to ${most} bytes${examples} (KiB, MiB and GiB are known)`, parse };
}

export function wholeNumber(least: number, most: number): Format<number> {
  return {
    expected: `a whole number from ${least} to ${most}`,
    parse: (text) => (/^[0-9]{1,15}$/.test(text) ? within(Number(text), least, most) : undefined),
  };
}

/** NaN is within nothing. */
function within(value: number, least: number, most: number): number | undefined {
  return value >= least && value <= most ? value : undefined;
}

export function oneOf<const T extends string>(words: readonly T[]): Format<T> {
  return { expected: words.join(' or '), parse: (text) => words.find((word) => word === text) };
}

/** A value that travels later: what wire/ accepts is what a file may say. */
function field<T>(checked: {
  readonly schema: { readonly description?: string };
  parse(value: unknown): T;
}): Format<T> {
  const parse = (text: string): T | undefined => {
    try {
      return checked.parse(text);
    } catch (error) {
      if (isServiceManagerError(error) && error.code === 'INVALID_MESSAGE') return undefined;
      throw error;
    }
  };
  return { expected: checked.schema.description ?? 'a valid value', parse };
}

export const nodeName: Format<NodeName> = field(message('node name', 255, NodeName));
export const topic: Format<Topic> = field(message('topic', 255, Topic));
export const actionName: Format<ActionName> = field(message('action', 32, ActionName));
export const serviceName: Format<ServiceName> = field(message('service', 255, ServiceName));

export function matching(pattern: RegExp, expected: string): Format<string> {
  return { expected, parse: (text) => (pattern.test(text) ? text : undefined) };
}

/** Narrower than a topic, so that `role:NAME` can be typed on any command line without quotes. */
export const roleName = matching(
  /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/,
  'a role of 1 to 100 letters, digits, dots, dashes and underscores',
);
export const absolutePath = matching(
  /^\/[^\p{Cc}]{1,1023}$/u,
  'an absolute path such as /var/lib/service-mgr',
);
export const programFile = matching(
  /^(?:\/[^\p{Cc}]{1,1023}|[A-Za-z0-9_][A-Za-z0-9_.+-]{0,254})$/u,
  'the name of a program on the PATH, or its absolute path',
);
export const healthCheckName = matching(
  /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
  'a name of 1 to 64 letters, digits, dashes and underscores that begins with a letter or digit',
);

/** Never read by a shell: quotes would not do what they promise. */
export const commandLine: Format<readonly string[]> = {
  expected: 'the absolute path of a program and its arguments, separated by spaces, without quotes',
  parse: (text) => (/^\/[^"'\p{Cc}]{1,1023}$/u.test(text) ? text.split(/ +/) : undefined),
};
