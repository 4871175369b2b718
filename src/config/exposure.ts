import { ServiceManagerError } from '../wire/errors.ts';
import { show } from './show.ts';

/** How a program talks to others: with keys on both sides, or without any. */
export type SecurityMode = 'curve' | 'none';

/** What a configuration file says about it. */
export interface WantedSecurity {
  /** `auto`: curve where there are keys, else none. */
  readonly mode: SecurityMode | 'auto';
  /** Whether `mode = none` may go beyond this host. */
  readonly allowInsecure: boolean;
}

const octet = String.raw`(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`;
// Only what can be read in one way: a name such as 127.0.0.1.example.org may be anywhere.
const loopbackTcp = new RegExp(String.raw`^tcp://(?:localhost|127(?:\.${octet}){3}|\[::1\]):(?:\*|\d{1,5})$`);

/** Whether only programs on this host can be at the other end. What is not sure counts as no. */
export function isLoopbackEndpoint(endpoint: string): boolean {
  return endpoint.startsWith('ipc://') || loopbackTcp.test(endpoint);
}

/** Where a socket that is bound there is found from this host. */
export function fromThisHost(endpoint: string): string {
  return endpoint.replace(/^tcp:\/\/(?:\*|0\.0\.0\.0|\[::\]):/, 'tcp://localhost:');
}

/**
 * Decides with what is in the file and whether there are keys. `endpoints`: those in use, by their keys in the file.
 * `remedy`: the command that brings keys. Throws BAD_CONFIG where others could reach a program without security that
 * does not say in so many words that this is meant.
 */
export function securityModeOf(
  { mode, allowInsecure, hasKeys }: WantedSecurity & { readonly hasKeys: boolean },
  endpoints: Readonly<Record<string, readonly string[]>>,
  fileName: string,
  remedy: string,
): SecurityMode {
  if (mode === 'curve' || (mode === 'auto' && hasKeys)) return 'curve';
  const exposed = firstExposed(endpoints);
  if (exposed === undefined || (mode === 'none' && allowInsecure)) return 'none';
  const [key, endpoint] = exposed;
  const secure = mode === 'none' ? 'take out [security] mode = none and run' : 'run';
  throw new ServiceManagerError(
    'BAD_CONFIG',
    `${fileName}: key ${key}: value ${show(endpoint)}, expected an endpoint on this host alone (127.0.0.1, [::1], ` +
      `localhost or ipc) because there is no security: ${secure} "${remedy}", or say with [security] mode = none ` +
      'and allow_insecure = yes that there is to be none',
  );
}

function firstExposed(
  endpoints: Readonly<Record<string, readonly string[]>>,
): readonly [key: string, endpoint: string] | undefined {
  for (const [key, values] of Object.entries(endpoints)) {
    const endpoint = values.find((value) => !isLoopbackEndpoint(value));
    if (endpoint !== undefined) return [key, endpoint];
  }
  return undefined;
}
