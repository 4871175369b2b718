import { inNaturalOrder } from '../core/natural-order.ts';
import { type Answer, isServiceAnswer } from '../wire/result.ts';
import { formatGroups } from './formats/groups.ts';
import { formatJson } from './formats/json.ts';
import { formatNdjson } from './formats/ndjson.ts';
import { formatTable } from './formats/table.ts';

export { formatAnswerLine } from './formats/ndjson.ts';

/** The values of `--format`; the first is the one of 2014. */
export const formats = ['json', 'ndjson', 'table', 'groups'] as const;
export type Format = (typeof formats)[number];

type Printer = (answers: readonly Answer[], isColor: boolean, columns: number | undefined) => string;

// ndjson alone keeps the order of arrival: its lines may have been printed before the next answer came.
const printers: Readonly<Record<Format, Printer>> = {
  json: (answers) => formatJson(inNodeOrder(answers)),
  ndjson: formatNdjson,
  table: (answers, isColor, columns) => formatTable(inNodeOrder(answers), isColor, columns),
  groups: (answers, isColor) => formatGroups(inNodeOrder(answers), isColor),
};

/** All answers in one text that ends with a line end, or is empty. `columns` is the width of the terminal, if any. */
export function printAnswers(
  format: Format,
  answers: readonly Answer[],
  isColor: boolean,
  columns?: number,
): string {
  return printers[format](answers, isColor, columns);
}

/** By node name in natural order; those of nameless 2014 agents come last, as they arrived. */
function inNodeOrder(answers: readonly Answer[]): Answer[] {
  const named = answers.filter((answer) => nodeOf(answer) !== undefined);
  const unnamed = answers.filter((answer) => nodeOf(answer) === undefined);
  return [...inNaturalOrder(named, (answer) => nodeOf(answer) ?? ''), ...unnamed];
}

function nodeOf(answer: Answer): string | undefined {
  return isServiceAnswer(answer) ? answer.result.node : answer.node;
}
