import type { Outcome } from '../../../src/wire/outcome.ts';

/** One action, and what it must be called. */
export interface Call {
  readonly action: string;
  readonly outcome: Outcome;
  /** Undefined: whatever it is just then. */
  readonly state?: string;
  /** Of the last part of the message; none when it went well. */
  readonly reason?: RegExp;
  /** Exit code. Default 0. */
  readonly code?: number;
  /** Time limit of the action in seconds. */
  readonly limit?: number;
}

/** A service that lies, or is awkward in another way. */
export interface Animal {
  /** Its file in scripts/, and its name in the report. */
  readonly script: string;
  readonly calls: readonly Call[];
  /** Behind its unique name. */
  readonly suffix?: string;
}

export const started: Call = { action: 'start', outcome: 'ok', state: 'running' };
export const stopped: Call = { action: 'stop', outcome: 'ok', state: 'stopped' };

export function unverified(action: string, state: string, reason: RegExp): Call {
  return { action, outcome: 'unverified', state, reason };
}

export function failed(action: string, state: string, code: number): Call {
  return { action, outcome: 'failed', state, code };
}

export const zoo: readonly Animal[] = [
  {
    script: 'behaves',
    calls: [
      started,
      started,
      { ...started, action: 'restart' },
      { ...started, action: 'reload' },
      { ...started, action: 'force-reload' },
      { ...started, action: 'try-restart' },
      stopped,
      stopped,
      { ...stopped, action: 'try-restart' },
      failed('condrestart', 'stopped', 2),
    ],
  },
  { script: 'behaves', suffix: '.d@1', calls: [started, stopped] },
  // Those that say it went well, and it did not.
  {
    script: 'exits-0-but-is-dead',
    calls: [unverified('start', 'stopped', /the service is stopped/)],
  },
  { script: 'says-failed-and-exits-0', calls: [unverified('start', 'stopped', /the service is stopped/)] },
  {
    script: 'dies-after-1-s',
    calls: [unverified('start', 'failed', /the service (was running, but now it )?is failed/)],
  },
  {
    script: 'tells-only-its-pid-and-exits-0',
    calls: [unverified('start', 'failed', /the service (was running, but now it )?is failed/)],
  },
  { script: 'flaps', calls: [unverified('start', 'running', /does not stay running: \d+ changes/)] },
  {
    // Looks that come late may find it down each time.
    script: 'is-up-and-down',
    calls: [
      { action: 'start', outcome: 'unverified', reason: /does not stay running: \d+ changes|is failed/ },
    ],
  },
  { script: 'dies-on-reload', calls: [started, unverified('reload', 'failed', /the service is failed/)] },
  {
    script: 'restarts-nothing',
    calls: [
      started,
      unverified('restart', 'running', /the main process is the same as before: \d+/),
      stopped,
    ],
  },
  {
    script: 'only-reloads-when-it-restarts',
    calls: [started, unverified('restart', 'running', /the main process is the same as before: \d+/)],
  },
  {
    script: 'does-not-come-up-again',
    calls: [started, unverified('restart', 'stopped', /the service is stopped/)],
  },
  {
    script: 'starts-what-was-stopped',
    calls: [
      { ...stopped, action: 'condrestart' },
      unverified('try-restart', 'running', /the service is running/),
      { ...started, action: 'condrestart' },
    ],
  },
  {
    script: 'has-a-daemon-that-ignores-term',
    calls: [started, unverified('stop', 'running', /the service is running/)],
  },
  {
    script: 'forgets-its-daemon-when-it-stops',
    calls: [started, unverified('stop', 'stopped', /the main process \d+ lives on/)],
  },
  {
    script: 'comes-back-when-it-is-stopped',
    calls: [started, unverified('stop', 'running', /the service was stopped, but now it is running/)],
  },
  {
    script: 'has-the-pid-file-of-another-process',
    calls: [unverified('start', 'stopped', /the service is stopped/)],
  },
  // Those whose status does not tell, or not as it should.
  {
    script: 'has-no-status',
    calls: [
      unverified('start', 'unknown', /the service cannot say whether it runs/),
      { action: 'status', outcome: 'failed', state: 'unknown', code: 3 },
      unverified('stop', 'unknown', /the service cannot say whether it runs/),
    ],
  },
  { script: 'has-no-status-but-a-pid-file', calls: [started, stopped] },
  {
    script: 'has-no-status-and-a-left-pid-file',
    calls: [unverified('start', 'failed', /the service (was running, but now it )?is failed/)],
  },
  {
    script: 'tells-its-status-only-in-words',
    calls: [started, stopped, { ...stopped, action: 'status' }],
  },
  {
    script: 'tells-of-its-death-only-in-words',
    calls: [unverified('start', 'stopped', /the service is stopped/)],
  },
  { script: 'has-its-lsb-codes-the-wrong-way-round', calls: [started, stopped] },
  { script: 'hangs-when-asked-for-its-status', calls: [started] },
  {
    script: 'ignores-term-when-asked-for-its-status',
    calls: [unverified('start', 'unknown', /the service cannot say whether it runs/)],
  },
  // Those that take their time.
  { script: 'forks-late', calls: [started, stopped] },
  { script: 'forks-twice', calls: [started, stopped] },
  { script: 'dies-at-once-and-is-started-again', calls: [started] },
  { script: 'restarts-later', calls: [started, { ...started, action: 'restart' }] },
  { script: 'stops-before-its-daemon-is-dead', calls: [started, stopped] },
  { script: 'stops-slowly', calls: [started, stopped] },
  { script: 'hangs', calls: [{ ...failed('start', 'unknown', -15), limit: 1 }] },
  { script: 'ignores-term-when-it-starts', calls: [{ ...failed('start', 'unknown', -9), limit: 1 }] },
  // Those that leave something.
  { script: 'leaves-a-stale-pid-file', calls: [started, { ...stopped, state: 'failed' }, started] },
  { script: 'leaves-a-child-when-it-stops', calls: [started, stopped] },
  { script: 'has-a-daemon-that-keeps-stdout-open', calls: [started, stopped] },
  { script: 'removes-the-folder-it-works-in', calls: [started] },
  // Those with odd streams.
  { script: 'prints-100-mb', calls: [started, stopped] },
  { script: 'writes-to-a-closed-pipe', calls: [started, stopped] },
  { script: 'prints-invalid-utf-8', calls: [started] },
  { script: 'reads-its-standard-input', calls: [started] },
  { script: 'needs-a-terminal', calls: [failed('start', 'stopped', 1)] },
  // Those that fail, and say so.
  { script: 'refuses-as-non-root', calls: [failed('start', 'stopped', 4)] },
  { script: 'runs-but-exits-150', calls: [failed('start', 'running', 150)] },
  { script: 'kills-itself', calls: [failed('start', 'stopped', -9)] },
];
