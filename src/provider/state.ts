import type { ProcessExit } from '../platform/processes.ts';
import type { State } from '../wire/fields.ts';
import { wasEnded } from './host-programs.ts';

/**
 * What the exit code of a `status` means. A code that does not stand here means `unknown`.
 *
 * - `lsb`: LSB 5.0, "Init Script Actions" (iniscrptact): 0 running, 1 dead but its pid file is left, 2 dead but its lock
 *   file is left, 3 not running, 4 unknown.
 * - `rc.subr`: rc.subr(8) of FreeBSD: 0 running, 1 not running.
 * - `openrc`: openrc-run(8): 0 started, 3 stopped, 4 stopping, 8 starting, 16 inactive, 32 crashed, 64 unsupervised. Services
 *   with a `status` of their own keep to LSB.
 */
export const statusCodes = {
  lsb: new Map<number, State>([
    [0, 'running'],
    [1, 'failed'],
    [2, 'failed'],
    [3, 'stopped'],
  ]),
  'rc.subr': new Map<number, State>([
    [0, 'running'],
    [1, 'stopped'],
  ]),
  openrc: new Map<number, State>([
    [0, 'running'],
    [1, 'failed'],
    [2, 'failed'],
    [3, 'stopped'],
    [32, 'failed'],
    [64, 'failed'],
  ]),
} as const;

/**
 * What `ActiveState` of a unit means, by systemctl(1) and org.freedesktop.systemd1(5). A unit on its way to another
 * state is `unknown` until it is there, except that `auto-restart` is the pause after it broke down.
 */
export const activeStates: ReadonlyMap<string, State> = new Map([
  ['active', 'running'],
  ['reloading', 'running'],
  ['refreshing', 'running'],
  ['inactive', 'stopped'],
  ['failed', 'failed'],
]);

/** What the first word of a line of `sv status` means, by sv(8). */
const svWords: ReadonlyMap<string, State> = new Map([
  ['run', 'running'],
  ['down', 'stopped'],
]);

/** What rc-status(8) of OpenRC says of a service. */
export const openRcWords: ReadonlyMap<string, State> = new Map([
  ['started', 'running'],
  ['stopped', 'stopped'],
  ['crashed', 'failed'],
  ['failed', 'failed'],
  ['unsupervised', 'failed'],
]);

/** What the marks of `service --status-all` mean. Its minus is any code but 0, so it may also have failed. */
export const statusAllMarks: ReadonlyMap<string, State> = new Map([
  ['+', 'running'],
  ['-', 'stopped'],
]);

// Debian's and RHEL's service(8) for an unknown name; FreeBSD's; systemctl's behind service(8), for a status and for
// another action. The latter also names a unit that is needed and missing: that is another one.
const notFoundTexts = [
  /: unrecognized service$/m,
  /does not exist in \/etc\/rc\.d/,
  /^Unit \S+ could not be found\.$/m,
  /^Failed to \S+ (\S+): Unit \1 not (?:found|loaded)\.$/m,
];

/** What a `status` through service(8) says of the service. */
export function stateOfStatus(system: string, exit: ProcessExit): State {
  if (exit.exitCode !== 0 && !wasEnded(exit) && isNotFound(exit)) return 'not-found';
  return stateOfCode(system === 'FreeBSD' ? 'rc.subr' : 'lsb', exit);
}

export function stateOfCode(rules: keyof typeof statusCodes, exit: ProcessExit): State {
  return wasEnded(exit) ? 'unknown' : (statusCodes[rules].get(exit.exitCode) ?? 'unknown');
}

/** Of a service after another action nothing is known but that it may not exist. */
export function stateAfterAction(exit: ProcessExit): State {
  return exit.exitCode !== 0 && isNotFound(exit) ? 'not-found' : 'unknown';
}

/** By the properties of that name, as `systemctl show` and `systemctl list-units` have them. */
export function stateOfUnit(loadState: string, activeState: string, subState: string): State {
  if (loadState === 'not-found') return 'not-found';
  if (subState === 'auto-restart') return 'failed';
  return activeStates.get(activeState) ?? 'unknown';
}

/** By what stands before the first colon of a line of `sv status`, and by the rest of it. */
export function stateOfSv(word: string, rest: string): State {
  // It ended by itself, and its supervisor is about to start it again.
  const isBroken = (word === 'down' || word === 'finish') && /, want up\b/.test(rest);
  return isBroken ? 'failed' : (svWords.get(word) ?? 'unknown');
}

function isNotFound({ stdout, stderr }: ProcessExit): boolean {
  return notFoundTexts.some((text) => text.test(stderr.text) || text.test(stdout.text));
}
