import type { Terminal } from '../platform/terminal.ts';
import { ServiceManagerError } from '../wire/errors.ts';

const standardInput = '-';

/**
 * The join token as it was typed, or what standard input holds where `-` was: a command line can be read by everybody on
 * the host. Rejects with BAD_USAGE where nothing comes.
 */
export async function givenToken(
  typed: string | undefined,
  terminal: Pick<Terminal, 'readInput'>,
  interrupted?: AbortSignal,
): Promise<string | undefined> {
  if (typed !== standardInput) return typed;
  const token = (await terminal.readInput(interrupted))?.trim() ?? '';
  if (token !== '') return token;
  throw new ServiceManagerError('BAD_USAGE', 'expected a join token on standard input');
}
