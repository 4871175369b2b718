import { readNodeList } from '../core/node-list.ts';
import { isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import type { NodeName } from '../wire/fields.ts';
import type { MainDeps } from './program.ts';

const standardInput = '-';
const mostNodes = 10_000;

/** Whether somebody has to hand the list in, which may take time. */
export function isStandardInput(file: string): boolean {
  return file === standardInput;
}

/** The nodes that the file, or standard input, names. Rejects with BAD_USAGE when it is no list of node names. */
export async function readNodeFile(file: string, deps: MainDeps): Promise<NodeName[]> {
  try {
    const nodes = readNodeList(await textOf(file, deps));
    if (nodes.length <= mostNodes) return nodes;
    throw new ServiceManagerError('BAD_TARGET', `${nodes.length} names, expected ${mostNodes} at most`);
  } catch (error) {
    if (!isServiceManagerError(error)) throw error;
    throw new ServiceManagerError('BAD_USAGE', `option --nodes ${file}: ${error.message}`, { cause: error });
  }
}

async function textOf(file: string, { files, terminal, interrupted }: MainDeps): Promise<string> {
  if (!isStandardInput(file)) return files.readText(file);
  const text = await terminal.readInput(interrupted);
  if (text !== undefined) return text;
  throw new ServiceManagerError('BAD_USAGE', 'interrupted');
}
