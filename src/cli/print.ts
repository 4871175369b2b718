import { inNaturalOrder } from '../core/natural-order.ts';
import { formatFull } from './formats/full.ts';
import { formatGroups } from './formats/groups.ts';
import { formatJson } from './formats/json.ts';
import { formatNdjson } from './formats/ndjson.ts';
import { type Summary, summaryOf, summaryOfSilent, summaryOfUnnamed } from './formats/summary.ts';
import { formatTable } from './formats/table.ts';
import { absenceOf, answersInOrder, type Report, silentNodes } from './report.ts';

export { formatAnswerLine } from './formats/ndjson.ts';

/** The values of `--format`; the first is the one of 2014. */
export const formats = ['json', 'full', 'ndjson', 'table', 'groups'] as const;
export type Format = (typeof formats)[number];

export const defaultFormat: Format = 'json';

/** Where it is shown. `columns` is the width of the terminal, if it is one. */
export interface Look {
  readonly isColor: boolean;
  readonly columns?: number | undefined;
}

// ndjson alone keeps the order of arrival: its lines may have been printed before the next answer came. json and
// ndjson hold answers and nothing else, as in 2014.
const printers: Readonly<Record<Format, (report: Report, look: Look) => string>> = {
  json: (report) => formatJson(answersInOrder(report)),
  full: formatFull,
  ndjson: ({ answers }) => formatNdjson(answers),
  table: (report, { isColor, columns }) => formatTable(summariesOf(report), isColor, columns),
  groups: (report, { isColor }) => formatGroups(summariesOf(report), isColor),
};

/** The whole report in one text that ends with a line end, or is empty. */
export function printReport(format: Format, report: Report, look: Look): string {
  return printers[format](report, look);
}

/** Who answered and who did not, by name; v1 agents without one come last. */
function summariesOf(report: Report): Summary[] {
  const { unnamed, withheld, isAimKnown, isOver, rollout } = report.summary;
  // Many of its nodes just wait for their turn.
  const isRolling = rollout !== undefined && !isOver;
  const silent = silentNodes(report).map((node) => summaryOfSilent(node, absenceOf(report, node), isRolling));
  const summaries = [...answersInOrder(report).map(summaryOf), ...silent];
  const named = inNaturalOrder(
    summaries.filter(({ node }) => node !== undefined),
    ({ node }) => node ?? '',
  );
  const nameless = summaries.filter(({ node }) => node === undefined);
  // A v1 manager does not say how many it asked.
  if (unnamed > 0 && isAimKnown) nameless.push(summaryOfUnnamed(unnamed, 'no-answer', 'v1 agents'));
  if (withheld > 0) nameless.push(summaryOfUnnamed(withheld, 'refused', 'v1 agents, not asked'));
  return [...named, ...nameless];
}
