import type { ProcessExit } from '../platform/processes.ts';
import type { State } from '../wire/fields.ts';

// Debian's and RHEL's service(8) for an unknown name; FreeBSD's; systemctl's behind service(8), for a status and for
// another action. The latter also names a unit that is needed and missing: that is another one.
const notFoundTexts = [
  /: unrecognized service$/m,
  /does not exist in \/etc\/rc\.d/,
  /^Unit \S+ could not be found\.$/m,
  /^Failed to \S+ (\S+): Unit \1 not (?:found|loaded)\.$/m,
];

/**
 * What a `status` through service(8) says of the service. Codes by LSB 5.0, "Init Script Actions": 0 running, 1 and 2
 * dead but its pid or lock file is left, 3 not running, 4 unknown. FreeBSD's rc.subr(8) says 1 for not running.
 */
export function stateOfStatus(system: string, exit: ProcessExit): State {
  if (exit.timedOut) return 'unknown';
  if (exit.exitCode === 0) return 'running';
  if (isNotFound(exit)) return 'not-found';
  if (system === 'FreeBSD') return exit.exitCode === 1 ? 'stopped' : 'unknown';
  if (exit.exitCode === 1 || exit.exitCode === 2) return 'failed';
  return exit.exitCode === 3 ? 'stopped' : 'unknown';
}

/** Of a service after another action nothing is known but that it may not exist. */
export function stateAfterAction(exit: ProcessExit): State {
  return exit.exitCode !== 0 && isNotFound(exit) ? 'not-found' : 'unknown';
}

function isNotFound({ stdout, stderr }: ProcessExit): boolean {
  return notFoundTexts.some((text) => text.test(stderr.text) || text.test(stdout.text));
}
