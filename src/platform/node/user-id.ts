import { execFileSync } from 'node:child_process';

const timeoutMs = 10_000;

/**
 * The number of a user; undefined where there is none of this name. Asks id(1), which knows the users of every system, also
 * those that stand in no file.
 */
export function userIdOf(name: string): number | undefined {
  // It would be read as an option.
  if (name === '' || name.startsWith('-')) return undefined;
  try {
    const said = execFileSync('id', ['-u', name], { encoding: 'utf8', stdio: 'pipe', timeout: timeoutMs });
    return Number(said);
  } catch (error) {
    const hasAnswered = error instanceof Error && 'status' in error && typeof error.status === 'number';
    if (hasAnswered) return undefined;
    throw error;
  }
}
