import { expect } from 'chai';
import {
  daemonExitMeanings,
  daemonExitOf,
  daemonExits,
  exitCodeNamed,
  exitCodeOf,
  exitCodes,
} from '../../../src/cli/exit-codes.ts';
import { type Outcome, outcomes } from '../../../src/core/outcome.ts';
import { type ErrorCode, ServiceManagerError } from '../../../src/wire/errors.ts';

describe('exit codes', () => {
  it('are the documented ones, each with a name of its own', () => {
    expect(exitCodes.map(({ code }) => code)).to.deep.equal([0, 2, 4, 6, 64, 65, 68, 69, 75, 77, 78, 130]);
    expect(new Set(exitCodes.map(({ name }) => name)).size).to.equal(exitCodes.length);
  });

  it('are found by name', () => {
    for (const { code, name } of exitCodes) expect(exitCodeNamed(name)).to.equal(code);
  });

  const expected: Record<Outcome, number> = {
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
  for (const outcome of outcomes) {
    it(`count ${outcome} as ${expected[outcome]}, also among nodes that are ok`, () => {
      expect(exitCodeOf([outcome])).to.equal(expected[outcome]);
      expect(exitCodeOf(['ok', outcome, 'ok'])).to.equal(expected[outcome]);
    });

    it(`name ${outcome} in the meaning of its code`, () => {
      const row = exitCodes.find(({ code }) => code === expected[outcome]);
      expect(row?.meaning).to.include(outcome.replace('-', ' '));
    });
  }

  it('say both with 6, however often each came', () => {
    expect(exitCodeOf(['failed', 'no-answer'])).to.equal(6);
    expect(exitCodeOf(['no-answer', 'failed', 'failed', 'running', 'ok'])).to.equal(6);
    expect(exitCodeOf(['failed', 'refused'])).to.equal(2);
    expect(exitCodeOf(['running', 'unreachable'])).to.equal(4);
  });

  it('are 0 without any outcome', () => expect(exitCodeOf([])).to.equal(0));

  it('take any iterable', () => expect(exitCodeOf(new Set<Outcome>(['ok', 'expired']).values())).to.equal(2));
});

describe('the exit codes of the daemons', () => {
  it('are the documented ones, in order, each with a meaning', () => {
    expect(Object.values(daemonExits)).to.deep.equal([0, 1, 64, 65, 69, 71, 74, 75, 77, 78]);
    expect(Object.keys(daemonExitMeanings)).to.deep.equal(Object.keys(daemonExits));
  });

  const expected: ReadonlyArray<readonly [code: number, ...errors: ErrorCode[]]> = [
    [64, 'BAD_USAGE', 'INVALID_MESSAGE', 'UNKNOWN_KEY', 'BAD_TARGET', 'UNKNOWN_NODE'],
    [69, 'MANAGER_UNREACHABLE', 'INVALID_REPLY'],
    [71, 'ENDPOINT_UNUSABLE'],
    [74, 'STORE_UNUSABLE'],
    [75, 'ALREADY_RUNNING'],
    [77, 'UNAUTHENTICATED', 'NOT_PERMITTED', 'NAME_TAKEN', 'BAD_TOKEN', 'KEY_REFUSED', 'REFUSED', 'REPLAYED'],
    [77, 'POLICY_DENIED', 'TOO_BUSY', 'UNKNOWN_COMMAND', 'REQUEST_EXPIRED'],
    [78, 'BAD_CONFIG', 'BAD_KEY'],
  ];
  for (const [exitCode, ...codes] of expected) {
    it(`are ${exitCode} for ${codes.join(', ')}`, () => {
      for (const code of codes)
        expect(daemonExitOf(new ServiceManagerError(code, 'x')), code).to.equal(exitCode);
    });
  }
});
