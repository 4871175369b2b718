import { expect } from 'chai';
import fc from 'fast-check';
import type { ProcessExit } from '../../../src/platform/processes.ts';
import { stateAfterAction, stateOfCode, stateOfStatus, stateOfUnit } from '../../../src/provider/state.ts';
import { states } from '../../../src/wire/fields.ts';

function exit(
  exitCode: number,
  outputs: { stdout?: string; stderr?: string; timedOut?: boolean } = {},
): ProcessExit {
  const { stdout = '', stderr = '', timedOut = false } = outputs;
  return {
    exitCode,
    timedOut,
    aborted: false,
    stdout: { text: stdout, cutBytes: 0 },
    stderr: { text: stderr, cutBytes: 0 },
    durationMs: 1,
  };
}

const notFound = {
  Debian: 'nosuch: unrecognized service\n',
  RHEL: 'nosuch: unrecognized service\n',
  FreeBSD: 'nosuch does not exist in /etc/rc.d or the local startup\ndirectories (/usr/local/etc/rc.d)\n',
  systemd: 'Unit nosuch.service could not be found.\n',
  'systemd (start)': 'Failed to start nosuch.service: Unit nosuch.service not found.\n',
  'systemd (stop)': 'Failed to stop nosuch.service: Unit nosuch.service not loaded.\n',
};

describe('the state that a status tells of', () => {
  const table: ReadonlyArray<[system: string, exitCode: number, state: string]> = [
    ['Linux', 0, 'running'],
    ['Linux', 1, 'failed'],
    ['Linux', 2, 'failed'],
    ['Linux', 3, 'stopped'],
    ['Linux', 4, 'unknown'],
    ['Linux', 5, 'unknown'],
    ['Linux', 150, 'unknown'],
    ['Linux', -9, 'unknown'],
    ['FreeBSD', 0, 'running'],
    ['FreeBSD', 1, 'stopped'],
    ['FreeBSD', 2, 'unknown'],
    ['FreeBSD', 3, 'unknown'],
    ['FreeBSD', -15, 'unknown'],
    ['OpenBSD', 3, 'stopped'],
  ];
  for (const [system, exitCode, state] of table) {
    it(`is ${state} for exit code ${exitCode} on ${system}`, () => {
      expect(stateOfStatus(system, exit(exitCode))).to.equal(state);
    });
  }

  for (const [system, text] of Object.entries(notFound)) {
    it(`is not-found when ${system} says so, on either stream and whatever the code`, () => {
      for (const exitCode of [1, 3, 4]) {
        expect(stateOfStatus('Linux', exit(exitCode, { stderr: text }))).to.equal('not-found');
        expect(stateOfStatus('FreeBSD', exit(exitCode, { stdout: text }))).to.equal('not-found');
      }
    });
  }

  it('is not-found also when other lines stand around that line', () => {
    const stderr = `warning: x\n${notFound.systemd}goodbye\n`;
    expect(stateOfStatus('Linux', exit(4, { stderr }))).to.equal('not-found');
  });

  it('is running for code 0, whatever the output says', () => {
    expect(stateOfStatus('Linux', exit(0, { stdout: notFound.Debian }))).to.equal('running');
  });

  it('is what the code says when the output only sounds like it', () => {
    const stdout = 'log: peer said "x: unrecognized service" yesterday\n';
    expect(stateOfStatus('Linux', exit(3, { stdout }))).to.equal('stopped');
  });

  it('is unknown for a status that was ended at its time limit, whatever its code', () => {
    for (const exitCode of [0, 3, -15]) {
      expect(stateOfStatus('Linux', exit(exitCode, { timedOut: true }))).to.equal('unknown');
    }
  });

  it('is always one of the closed list', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer(), fc.string(), fc.boolean(), (system, code, stdout, timedOut) => {
        expect(states).to.include(stateOfStatus(system, exit(code, { stdout, timedOut })));
      }),
    );
  });
});

describe('the state after another action', () => {
  it('is unknown: that it was started does not say that it runs', () => {
    for (const exitCode of [0, 1, 3, -15]) expect(stateAfterAction(exit(exitCode))).to.equal('unknown');
  });

  for (const [system, text] of Object.entries(notFound)) {
    it(`is not-found when ${system} says so`, () => {
      expect(stateAfterAction(exit(1, { stderr: text }))).to.equal('not-found');
    });
  }

  it('is unknown when another unit is missing that it needs', () => {
    const stderr = 'Failed to start nginx.service: Unit network.service not found.\n';
    expect(stateAfterAction(exit(5, { stderr }))).to.equal('unknown');
  });

  it('is unknown for code 0, whatever the output says', () => {
    expect(stateAfterAction(exit(0, { stderr: notFound.Debian }))).to.equal('unknown');
  });
});

describe('the state of an exit code of OpenRC', () => {
  for (const [code, state] of [
    [0, 'running'],
    [3, 'stopped'],
    [4, 'unknown'],
    [8, 'unknown'],
    [16, 'unknown'],
    [32, 'failed'],
    [64, 'failed'],
  ] as const) {
    it(`is ${state} for ${code}`, () => {
      expect(stateOfCode('openrc', exit(code))).to.equal(state);
      expect(stateOfCode('openrc', { ...exit(code), aborted: true })).to.equal('unknown');
    });
  }
});

describe('the state of a unit of systemd', () => {
  for (const [load, active, sub, state] of [
    ['loaded', 'active', 'running', 'running'],
    ['loaded', 'active', 'exited', 'running'],
    ['loaded', 'reloading', 'reload', 'running'],
    ['loaded', 'inactive', 'dead', 'stopped'],
    ['masked', 'inactive', 'dead', 'stopped'],
    ['loaded', 'failed', 'failed', 'failed'],
    ['loaded', 'activating', 'start', 'unknown'],
    ['loaded', 'activating', 'auto-restart', 'failed'],
    ['loaded', 'deactivating', 'stop-sigterm', 'unknown'],
    ['not-found', 'inactive', 'dead', 'not-found'],
    ['', '', '', 'unknown'],
  ] as const) {
    it(`is ${state} for ${[load, active, sub].join(' ')}`, () => {
      expect(stateOfUnit(load, active, sub)).to.equal(state);
    });
  }
});
