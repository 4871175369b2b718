import { FieldLines } from './field-lines.ts';
import { isKeyName } from './key-file.ts';
import { type CurvePublic, isCurvePublic } from './keys.ts';

/** What an agent or a person keeps of a manager that was joined: how it is known, and where it is. */
export interface KnownManager {
  /** What it calls itself. */
  readonly name: string;
  readonly key: CurvePublic;
  /** The key that it is going to have instead. */
  readonly nextKey?: CurvePublic | undefined;
  /** Missing where the manager has none that others reach. */
  readonly endpoints: {
    readonly join: string;
    readonly frontend?: string | undefined;
    readonly backend?: string | undefined;
    readonly sink?: string | undefined;
  };
}

const places = ['join', 'frontend', 'backend', 'sink'] as const;
const fields = [
  'name',
  'curve_public',
  'next_curve_public',
  'join_endpoint',
  'frontend_endpoint',
  'backend_endpoint',
  'sink_endpoint',
] as const;

const keyForm = '40 characters of Z85';

export function printKnownManager({ name, key, nextKey, endpoints }: KnownManager): string {
  const known = places.flatMap((place) => {
    const endpoint = endpoints[place];
    return endpoint === undefined ? [] : [`${place}_endpoint = ${endpoint}`];
  });
  return [
    `# A manager that was joined, and is known by this key. There is nothing secret in this file.`,
    `name = ${name}`,
    `curve_public = ${key}`,
    ...(nextKey === undefined ? [] : [`next_curve_public = ${nextKey}`]),
    ...known,
    '',
  ].join('\n');
}

/** Throws BAD_CONFIG with everything that is wrong with the file, one problem a line. */
export function readKnownManager(text: string, fileName: string): KnownManager {
  const reader = new FieldLines(text, fileName, fields);
  const name = reader.value('name', (value): value is string => isKeyName(value), 'the name of a manager');
  const key = reader.value('curve_public', isCurvePublic, keyForm);
  const nextKey = reader.optional('next_curve_public', isCurvePublic, keyForm);
  const endpointForm = 'tcp://HOST:PORT or ipc://PATH';
  const join = reader.value('join_endpoint', isEndpoint, endpointForm);
  const frontend = reader.optional('frontend_endpoint', isEndpoint, endpointForm);
  const backend = reader.optional('backend_endpoint', isEndpoint, endpointForm);
  const sink = reader.optional('sink_endpoint', isEndpoint, endpointForm);
  reader.throwProblems();
  // What is missing has been thrown.
  const known = { name: name ?? '', key: key as CurvePublic };
  const endpoints = { join: join ?? '', frontend, backend, sink };
  return { ...known, ...(nextKey === undefined ? {} : { nextKey }), endpoints };
}

/** The keys by which it may be known now, the likeliest first. */
export function keysOfManager({ key, nextKey }: Pick<KnownManager, 'key' | 'nextKey'>): CurvePublic[] {
  return nextKey === undefined ? [key] : [key, nextKey];
}

/** It has shown that it has this key now: what was before is past. */
export function withProvedKey(manager: KnownManager, proved: CurvePublic): KnownManager {
  if (proved !== manager.nextKey) return manager;
  const { nextKey: _, ...rest } = manager;
  return { ...rest, key: proved };
}

/** It has said that it will have this key. */
export function withNextKey(manager: KnownManager, nextKey: CurvePublic): KnownManager {
  return nextKey === manager.key || nextKey === manager.nextKey ? manager : { ...manager, nextKey };
}

function isEndpoint(text: string): text is string {
  return /^(?:tcp|ipc):\/\/[!-~]{1,255}$/.test(text);
}
