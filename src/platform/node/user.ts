import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';

/** Who runs this program. */
export interface User {
  readonly name: string;
  /** Where his programs keep their settings. */
  readonly configFolder: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** By the system, and where it does not know him by his environment. */
export function readUser(environment: Environment): User {
  const { XDG_CONFIG_HOME: wanted = '' } = environment;
  return {
    name: loginName() ?? environment['LOGNAME'] ?? environment['USER'] ?? '',
    // A relative one is to be ignored, says the XDG Base Directory Specification.
    configFolder: wanted.startsWith('/') ? wanted : join(homedir(), '.config'),
  };
}

/** Undefined for a number that has no name, as in many containers. */
function loginName(): string | undefined {
  try {
    return userInfo().username;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}
