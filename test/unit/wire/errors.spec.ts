import { expect } from 'chai';
import {
  errorCodes,
  isErrorCode,
  isServiceManagerError,
  ServiceManagerError,
} from '../../../src/wire/errors.ts';

describe('an error', () => {
  it('has a code for programs, a message for people, and keeps its cause', () => {
    const cause = new Error('EPIPE');
    const error = new ServiceManagerError('PROVIDER_FAILED', 'service(8) is not there', { cause });
    expect(error).to.be.instanceOf(Error);
    expect(error).to.include({
      name: 'ServiceManagerError',
      code: 'PROVIDER_FAILED',
      message: 'service(8) is not there',
      cause,
    });
  });

  it('is told from every other thing that is thrown', () => {
    expect(isServiceManagerError(new ServiceManagerError('REFUSED', 'no'))).to.equal(true);
    for (const other of [
      new Error('REFUSED'),
      { code: 'REFUSED', message: 'no' },
      'REFUSED',
      undefined,
      null,
    ]) {
      expect(isServiceManagerError(other), String(other)).to.equal(false);
    }
  });
});

describe('the error codes', () => {
  for (const [code, meaning] of Object.entries(errorCodes)) {
    it(`hold ${code}, with a meaning that fits into a sentence`, () => {
      expect(code).to.match(/^[A-Z]+(_[A-Z0-9]+)*$/);
      expect(meaning).to.match(/^[a-z].*[^.]$/);
      expect(isErrorCode(code)).to.equal(true);
    });
  }

  for (const value of [
    'FUTURE_CODE',
    'refused',
    '',
    'toString',
    'constructor',
    '__proto__',
    undefined,
    null,
    7,
    ['REFUSED'],
  ]) {
    it(`do not hold ${JSON.stringify(value) ?? 'nothing'}`, () => expect(isErrorCode(value)).to.equal(false));
  }
});
