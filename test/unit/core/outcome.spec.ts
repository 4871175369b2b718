import { expect } from 'chai';
import { type Outcome, outcomeOfAnswer } from '../../../src/core/outcome.ts';
import { type ErrorCode, errorCodes } from '../../../src/wire/errors.ts';
import { Answer } from '../../../src/wire/result.ts';

const uuid = '0123456789abcdef0123456789abcdef';

function serviceAnswer(result: { returncode: number; timedOut?: boolean }): Answer {
  const fixed = { node: 'web1', service: 'nginx', stdout: '', stderr: '', system: 'Linux', version: '#1' };
  return Answer.parse({ msg: 'Executed service start request', result: { ...fixed, ...result }, uuid });
}

function trouble(code?: string): Answer {
  return Answer.parse({ success: -1, msg: 'no', uuid, ...(code === undefined ? {} : { code }) });
}

describe('the outcome of an answer', () => {
  it('is ok for a return code of 0', () => {
    expect(outcomeOfAnswer(serviceAnswer({ returncode: 0, timedOut: false }))).to.equal('ok');
  });

  for (const returncode of [1, 3, -15]) {
    it(`is failed for a return code of ${returncode}`, () => {
      expect(outcomeOfAnswer(serviceAnswer({ returncode }))).to.equal('failed');
    });
  }

  it('is failed for an action that was ended after its time limit, whatever its return code', () => {
    expect(outcomeOfAnswer(serviceAnswer({ returncode: 0, timedOut: true }))).to.equal('failed');
  });

  const expected: Partial<Record<ErrorCode, Outcome>> = {
    REQUEST_EXPIRED: 'expired',
    INTERRUPTED: 'interrupted',
    ACTION_NOT_ALLOWED: 'refused',
    TOO_BUSY: 'refused',
    SHUTTING_DOWN: 'refused',
    INVALID_MESSAGE: 'refused',
    NOT_JSON: 'refused',
    FRAME_TOO_LARGE: 'refused',
    BODY_MISMATCH: 'refused',
    UNAUTHENTICATED: 'refused',
    NOT_PERMITTED: 'refused',
    POLICY_DENIED: 'refused',
    NOT_MEANT: 'refused',
    REPLAYED: 'refused',
    JOURNAL_UNAVAILABLE: 'refused',
    STORE_UNUSABLE: 'refused',
    PROVIDER_FAILED: 'failed',
    BAD_CONFIG: 'failed',
  };
  for (const [code, outcome] of Object.entries(expected)) {
    it(`is ${outcome} for trouble ${code}`, () => {
      expect(errorCodes).to.have.property(code);
      expect(outcomeOfAnswer(trouble(code))).to.equal(outcome);
    });
  }

  for (const code of [undefined, '', 'FUTURE_CODE', 'toString']) {
    it(`is failed for trouble with ${code === undefined ? 'no code' : `the unknown code "${code}"`}`, () => {
      expect(outcomeOfAnswer(trouble(code))).to.equal('failed');
    });
  }
});
