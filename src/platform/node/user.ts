import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

/** Who runs this program. */
export interface User {
  /** Empty where nothing says it. */
  readonly name: string;
  /** Where his programs keep their settings. */
  readonly configFolder: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** By the system, and where it does not know him by his environment. */
export function readUser(environment: Environment = process.env): User {
  const { XDG_CONFIG_HOME: wanted = '' } = environment;
  const name = ifKnown(() => userInfo().username) ?? environment['LOGNAME'] ?? environment['USER'] ?? '';
  // A relative one is to be ignored, says the XDG Base Directory Specification.
  const configFolder = wanted.startsWith('/') ? wanted : join(ifKnown(homedir) ?? '/', '.config');
  return { name, configFolder };
}

/** Undefined for a user whose number has no name, as in many containers. */
function ifKnown(ask: () => string): string | undefined {
  try {
    return ask();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}
