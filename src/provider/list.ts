import { inNaturalOrder } from '../core/natural-order.ts';
import type { CapturedOutput, ProcessExit } from '../platform/processes.ts';
import type { ServiceName, State } from '../wire/fields.ts';
import type { ListedService } from '../wire/result.ts';
import type { HostPrograms } from './host-programs.ts';
import type { ProviderResult, ReadLimits } from './provider.ts';

/** What is read of a list; of what the host said, no more is handed on than of any other action. */
export const listLimitBytes = 1_048_576;
/** With names of any length, so many still fit into an answer. */
export const maxListed = 2_000;

const statusWorkers = 4;
/** A script that hangs must not use up the time of all others. */
const oneStatusMs = 5_000;

/** The result of `list`, with its services in natural order. */
export function listResult(
  programs: HostPrograms,
  provider: string,
  exit: ProcessExit,
  services: readonly ListedService[],
): ProviderResult {
  return {
    ...exit,
    stdout: beginningOf(exit.stdout, programs.outputLimitBytes),
    stderr: beginningOf(exit.stderr, programs.outputLimitBytes),
    ...{ provider, state: 'unknown' },
    services: inNaturalOrder(services, ({ service }) => service).slice(0, maxListed),
  };
}

/** Its complete lines; the last one may have been cut in two. */
export function linesOf({ text, cutBytes }: CapturedOutput): string[] {
  const lines = text.split('\n');
  return cutBytes > 0 ? lines.slice(0, -1) : lines;
}

/**
 * Asks for the state of each service, several at a time, and within the time limit. A service that has no turn any more
 * is `unknown`.
 */
export async function askStates(
  names: readonly ServiceName[],
  limits: ReadLimits,
  ask: (name: ServiceName, limits: ReadLimits) => Promise<{ state: State; durationMs: number }>,
): Promise<ListedService[]> {
  const states = new Map<ServiceName, State>();
  const waiting = [...names];
  const work = async () => {
    let leftMs = limits.timeoutMs;
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      if (leftMs <= 0 || limits.signal?.aborted) return;
      const { state, durationMs } = await ask(name, { ...limits, timeoutMs: Math.min(leftMs, oneStatusMs) });
      states.set(name, state);
      leftMs -= durationMs;
    }
  };
  await Promise.all(Array.from({ length: statusWorkers }, work));
  return names.map((service) => ({ service, state: states.get(service) ?? 'unknown' }));
}

function beginningOf({ text, cutBytes }: CapturedOutput, limitBytes: number): CapturedOutput {
  const bytes = Buffer.from(text);
  if (bytes.length <= limitBytes) return { text, cutBytes };
  // A character that was cut in two becomes one or more of these.
  const kept = bytes
    .subarray(0, limitBytes)
    .toString()
    .replace(/\ufffd+$/, '');
  return { text: kept, cutBytes: cutBytes + bytes.length - Buffer.byteLength(kept) };
}
