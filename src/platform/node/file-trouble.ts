import { type ErrorCode, ServiceManagerError } from '../../wire/errors.ts';

/** Whatever goes wrong with this file becomes an error with this code, the path, and the reason. */
export function orTrouble<Value>(code: ErrorCode, path: string, trouble: string, act: () => Value): Value {
  try {
    return act();
  } catch (cause) {
    throw troubleWith(code, path, trouble, cause);
  }
}

export function troubleWith(
  code: ErrorCode,
  path: string,
  trouble: string,
  cause: unknown,
): ServiceManagerError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ServiceManagerError(code, `${path}: ${trouble} (${reason})`, { cause });
}

export function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT');
}

export function isThereAlready(error: unknown): boolean {
  return hasCode(error, 'EEXIST');
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
