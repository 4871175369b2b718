import { isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import { NodeName } from '../wire/fields.ts';
import { unfoldNames } from './fold.ts';
import { inNaturalOrder } from './natural-order.ts';

const maxNames = 100_000;
const nameForm = new RegExp(String(NodeName['pattern']));
// `[1-3]` is a folded set of names, and so is `[1,3]`, but no name begins with what a list in JSON begins with.
const jsonList = /^\[\s*["{\]]/;

/**
 * The node names of a list that somebody made by hand or by a program, each once, in natural order:
 * - lines, each with a name or several as `web[01-40],db1`; blank lines and what stands behind `#` mean nothing,
 * - a JSON array of names, or of objects with a field `node`, which is what `nodes --format json` prints,
 * - lines with one such object each, which is what `nodes --format ndjson` prints.
 *
 * Throws BAD_TARGET, which names the line or the entry and what was expected, also when there is no name in it.
 */
export function readNodeList(text: string): NodeName[] {
  const trimmed = text.trim();
  const names = new Set<NodeName>();
  for (const name of jsonList.test(trimmed) ? namesInArray(trimmed) : namesInLines(text)) {
    names.add(name);
    if (names.size > maxNames) throw badList(`more than ${maxNames} names`);
  }
  if (names.size === 0) throw badList('no name in it, expected at least one');
  return inNaturalOrder([...names], (name) => name);
}

function* namesInArray(text: string): Generator<NodeName> {
  const list = parsedJson(text, 'the text');
  if (!Array.isArray(list)) throw badList('expected a JSON array');
  for (const [index, entry] of list.entries())
    yield checkedName(typeof entry === 'string' ? entry : nodeOf(entry), `entry ${index + 1}`);
}

function* namesInLines(text: string): Generator<NodeName> {
  for (const [index, line] of text.split('\n').entries()) {
    const place = `line ${index + 1}`;
    const content = line.trim();
    if (content.startsWith('{')) yield checkedName(nodeOf(parsedJson(content, place)), place);
    else for (const name of unfolded(content.replace(/#.*$/, ''), place)) yield checkedName(name, place);
  }
}

function unfolded(text: string, place: string): string[] {
  try {
    return unfoldNames(text);
  } catch (error) {
    if (!isServiceManagerError(error)) throw error;
    throw badList(`${place}: ${error.message}`);
  }
}

function parsedJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badList(`${place} is no good JSON, expected what "nodes --format json" prints`, { cause: error });
  }
}

function nodeOf(entry: unknown): unknown {
  return typeof entry === 'object' && entry !== null && 'node' in entry ? entry.node : undefined;
}

function checkedName(name: unknown, place: string): NodeName {
  if (isNodeName(name)) return name;
  const found = typeof name === 'string' ? JSON.stringify(name.slice(0, 60)) : 'no name and no field "node"';
  throw badList(`${place} is ${found}, expected ${NodeName.description}`);
}

function isNodeName(name: unknown): name is NodeName {
  return typeof name === 'string' && nameForm.test(name);
}

function badList(what: string, options?: ErrorOptions): ServiceManagerError {
  return new ServiceManagerError('BAD_TARGET', `node list: ${what}`, options);
}
