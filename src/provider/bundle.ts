import type { ServiceName } from '../wire/fields.ts';

/** Services that are started and stopped together. */
export interface Bundle {
  /** In the order in which they are started. */
  readonly services: readonly ServiceName[];
  /** Whether the first member that fails ends the action; undefined: yes, except that a stop goes on. */
  readonly stopOnError: boolean | undefined;
  /** For each member at most; undefined: as long as the whole action may take. */
  readonly timeoutMs: number | undefined;
  /** For single members, by their names. */
  readonly timeoutsMs: ReadonlyMap<string, number>;
}

const beginning = 'bundle:';

export function isBundleName(service: ServiceName): boolean {
  return service.startsWith(beginning);
}

/** `web` of `bundle:web`. */
export function titleOf(service: ServiceName): string {
  return service.slice(beginning.length);
}
