import { type ErrorCode, ServiceManagerError } from '../../wire/errors.ts';

/** Whatever goes wrong with this file becomes an error with this code, the path, and the reason. */
export function orTrouble<Value>(code: ErrorCode, path: string, trouble: string, act: () => Value): Value {
  try {
    return act();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ServiceManagerError(code, `${path}: ${trouble} (${reason})`, { cause });
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
