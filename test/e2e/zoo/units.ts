import { type Call, started, stopped } from './table.ts';

/** A unit of systemd, or a script of OpenRC, that lies or is awkward in another way. */
export interface Unit {
  readonly name: string;
  /** `FLAG` in it stands for a file that is not there yet. */
  readonly text: string;
  readonly calls: readonly Call[];
}

const forEver = 'exec sleep 2147483';
/** Not every way to ask tells apart whether it failed. */
function dead(action: string): Call {
  const reason = /the service (was running, but now it )?is (failed|stopped)/;
  return { action, outcome: 'unverified', reason };
}

function unit(name: string, lines: readonly string[], calls: readonly Call[]): Unit {
  return { name, text: `[Unit]\nStartLimitIntervalSec=0\n[Service]\n${lines.join('\n')}\n`, calls };
}

function sh(script: string): string {
  return `ExecStart=/bin/sh -c '${script}'`;
}

export const systemdZoo: readonly Unit[] = [
  unit(
    'behaves',
    [sh(forEver), 'ExecReload=/bin/true'],
    [
      started,
      started,
      { ...started, action: 'restart' },
      { ...started, action: 'reload' },
      { ...started, action: 'try-restart' },
      stopped,
      { ...stopped, action: 'try-restart' },
    ],
  ),
  unit('dies-after-1-s', [sh('sleep 1; exit 1')], [dead('start')]),
  unit(
    'does-its-work-and-ends',
    ['Type=oneshot', sh(':')],
    [{ ...started, state: 'stopped' }, { ...started, action: 'restart', state: 'stopped' }, stopped],
  ),
  unit('does-long-work-and-ends', ['Type=oneshot', sh('sleep 1')], [{ ...started, state: 'stopped' }]),
  unit(
    'does-work-that-fails',
    ['Type=oneshot', sh('exit 4')],
    [{ action: 'start', outcome: 'failed', code: 1 }],
  ),
  unit(
    'is-kept-from-its-work',
    [
      ...['Type=oneshot', sh(':'), '[Unit]', 'ConditionPathExists=/nowhere'],
      // Of what nothing needs, systemd forgets at once that it was kept from it.
      ...['[Install]', 'WantedBy=multi-user.target'],
    ],
    [{ action: 'enable', outcome: 'ok' }, dead('start')],
  ),
  unit('ends-though-it-is-no-work', [sh(':')], [dead('start')]),
  unit('does-its-work-and-stays', ['Type=oneshot', 'RemainAfterExit=yes', sh(':')], [started, stopped]),
  unit(
    'dies-at-once-and-is-started-again',
    [
      'Restart=on-failure',
      'RestartSec=300ms',
      sh(`if [ -e FLAG ]; then ${forEver}; fi; touch FLAG; sleep 0.3; exit 1`),
    ],
    [started],
  ),
  unit(
    'is-up-and-down',
    ['Restart=always', 'RestartSec=400ms', sh('sleep 0.4')],
    [
      {
        action: 'start',
        outcome: 'unverified',
        reason: /does not stay running: \d+ changes|is (failed|stopped)/,
      },
    ],
  ),
  unit(
    'dies-on-reload',
    // Only when the reload is over: systemd fails one that it ends itself.
    [sh(forEver), "ExecReload=/bin/sh -c '(sleep 0.5; kill -KILL $MAINPID) &'"],
    [started, dead('reload')],
  ),
  unit('stops-slowly', [sh('trap "sleep 3; exit 0" TERM; while :; do sleep 0.1; done')], [started, stopped]),
  unit(
    'ignores-term',
    ['TimeoutStopSec=1', sh('trap "" TERM; while :; do sleep 1; done')],
    [started, { action: 'stop', outcome: 'ok' }],
  ),
  unit('forks-twice', ['Type=forking', sh('setsid sleep 2147483 & sleep 0.2')], [started, stopped]),
  unit(
    'hangs',
    ['ExecStartPre=/bin/sleep 2147483', sh(forEver)],
    [{ action: 'start', outcome: 'failed', code: -15, limit: 1 }],
  ),
];

const daemon = 'command=/bin/sleep\ncommand_background=yes\npidfile="/run/$RC_SVCNAME.pid"\n';

export const openRcZoo: readonly Unit[] = [
  {
    name: 'behaves',
    text: `${daemon}command_args=2147483\n`,
    calls: [started, { ...started, action: 'restart' }, stopped, stopped],
  },
  {
    name: 'exits-0-but-is-dead',
    text: `${daemon}command_args=0\n`,
    calls: [dead('start')],
  },
  {
    name: 'dies-after-1-s',
    text: `${daemon}command_args=1\n`,
    calls: [dead('start')],
  },
  {
    name: 'stops-slowly',
    text: `${daemon}command_args=2147483\nstop() { sleep 3; default_stop; }\n`,
    calls: [started, stopped],
  },
  {
    name: 'forgets-its-daemon-when-it-stops',
    text: `${daemon}command_args=2147483\nstop() { rm "$pidfile"; }\n`,
    calls: [started, { action: 'stop', outcome: 'unverified', reason: /the main process \d+ lives on/ }],
  },
  {
    name: 'hangs',
    text: 'start() { sleep 2147483; }\n',
    calls: [{ action: 'start', outcome: 'failed', limit: 1, code: 1 }],
  },
  {
    name: 'fails',
    text: 'start() { eerror "no"; return 1; }\n',
    calls: [{ action: 'start', outcome: 'failed', state: 'stopped', code: 1 }],
  },
];
