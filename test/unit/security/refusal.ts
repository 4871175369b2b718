import { isServiceManagerError, type ServiceManagerError } from '../../../src/wire/errors.ts';

/** The error with which it was refused; anything else is a failure of the test. */
export function refusalOf(action: () => unknown): ServiceManagerError {
  try {
    action();
  } catch (error) {
    if (isServiceManagerError(error)) return error;
    throw error;
  }
  throw new Error('it was not refused');
}
