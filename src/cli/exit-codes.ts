import type { Outcome } from '../core/outcome.ts';
import type { ErrorCode, ServiceManagerError } from '../wire/errors.ts';

/** Every exit code of the client; the man page is made from it. From 64 on they are those of sysexits(3). */
export const exitCodes = [
  { code: 0, name: 'ok', meaning: 'every aimed-at node: ok' },
  {
    code: 2,
    name: 'some-failed',
    meaning: 'some node failed, unverified, refused, expired, interrupted or cancelled',
  },
  {
    code: 4,
    name: 'some-missing',
    meaning: 'some node: no answer, unreachable, or still running when the window ended',
  },
  { code: 6, name: 'some-failed-some-missing', meaning: 'both' },
  { code: 64, name: 'bad-usage', meaning: 'wrong usage' },
  {
    code: 65,
    name: 'plan-changed',
    meaning: 'the fleet is not as planned or expected (--plan, --expect)',
  },
  { code: 68, name: 'no-node', meaning: 'no node matches, or no request has this id' },
  { code: 69, name: 'no-manager', meaning: 'no manager answered' },
  { code: 75, name: 'pending', meaning: 'a decision is still to be made' },
  { code: 77, name: 'refused', meaning: 'refused by the manager' },
  { code: 78, name: 'bad-config', meaning: 'bad configuration' },
  { code: 130, name: 'interrupted', meaning: 'interrupted (prints the id and how to attach again)' },
] as const satisfies readonly ExitCode[];

export interface ExitCode {
  readonly code: number;
  readonly name: string;
  readonly meaning: string;
}

export type ExitCodeName = (typeof exitCodes)[number]['name'];

const codeByName = Object.fromEntries(exitCodes.map(({ name, code }) => [name, code]));

export function exitCodeNamed(name: ExitCodeName): number {
  return codeByName[name] ?? 0;
}

// 2 and 4 are bits, so that both together are 6.
const bitOfOutcome: Readonly<Record<Outcome, 0 | 2 | 4>> = {
  ok: 0,
  failed: 2,
  unverified: 2,
  refused: 2,
  expired: 2,
  interrupted: 2,
  cancelled: 2,
  running: 4,
  'no-answer': 4,
  unreachable: 4,
};

/** Those of both daemons, by sysexits(3). */
export const daemonExits = {
  ok: 0,
  unexpected: 1,
  usage: 64,
  dataError: 65,
  unavailable: 69,
  systemError: 71,
  ioError: 74,
  tryLater: 75,
  refused: 77,
  badConfig: 78,
} as const;

/** What each of them means, for the man pages. */
export const daemonExitMeanings: Readonly<Record<keyof typeof daemonExits, string>> = {
  ok: 'a clean stop, or a command that went well',
  unexpected: 'what should not happen',
  usage: 'wrong usage',
  dataError: 'the audit log is damaged',
  unavailable: 'nobody answers at the management endpoint, or no manager does',
  systemError: 'an endpoint cannot be bound, or the agent cannot be started',
  ioError: 'the database cannot be used',
  tryLater: 'another instance of it is running, or the manager has still to accept a key',
  refused: 'refused by the daemon or the manager',
  badConfig: 'bad configuration',
};

// Whatever else a daemon or a manager says is its refusal.
const daemonExitOfError: Partial<Record<ErrorCode, keyof typeof daemonExits>> = {
  BAD_USAGE: 'usage',
  INVALID_MESSAGE: 'usage',
  UNKNOWN_KEY: 'usage',
  BAD_TARGET: 'usage',
  UNKNOWN_NODE: 'usage',
  MANAGER_UNREACHABLE: 'unavailable',
  INVALID_REPLY: 'unavailable',
  ENDPOINT_UNUSABLE: 'systemError',
  PROVIDER_FAILED: 'systemError',
  STORE_UNUSABLE: 'ioError',
  ALREADY_RUNNING: 'tryLater',
  BAD_CONFIG: 'badConfig',
  BAD_KEY: 'badConfig',
};

export function daemonExitOf({ code }: ServiceManagerError): number {
  return daemonExits[daemonExitOfError[code] ?? 'refused'];
}

/** 0, 2, 4 or 6. Without any outcome 0: that no node matched is known to the caller. */
export function exitCodeOf(outcomes: Iterable<Outcome>): number {
  let code = 0;
  for (const outcome of outcomes) code |= bitOfOutcome[outcome];
  return code;
}
