import { isServiceManagerError } from '../wire/errors.ts';

/** Whether this is trouble with a file because the system does not let this user at it. */
export function isForbidden(error: unknown): boolean {
  const cause = isServiceManagerError(error) ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && (cause.code === 'EACCES' || cause.code === 'EPERM');
}
