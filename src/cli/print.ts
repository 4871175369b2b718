import type { NodeOutcome } from '../client/index.ts';
import { inNaturalOrder } from '../core/natural-order.ts';
import { formatFull } from './formats/full.ts';
import { formatGroups } from './formats/groups.ts';
import { formatJson } from './formats/json.ts';
import { formatNdjson } from './formats/ndjson.ts';
import { printable } from './formats/printable.ts';
import { formatServices, serviceListOf } from './formats/services.ts';
import {
  type Summary,
  summaryOf,
  summaryOfSilent,
  summaryOfUnnamed,
  summaryOfWaiting,
} from './formats/summary.ts';
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
  table: formatTables,
  groups: (report, { isColor }) => formatGroups(summariesOf(report), isColor),
};

/** Of a rollout that goes on: it would be cancelled if that ended now. */
function isWaiting({ summary }: Report, { outcome }: NodeOutcome): boolean {
  const { rollout, isOver, isCancelled } = summary;
  return (
    rollout !== undefined &&
    rollout.stopped === undefined &&
    !isOver &&
    !isCancelled &&
    outcome === 'cancelled'
  );
}

/** A list of services has a table of its own; who did not give one stands in the usual one. */
function formatTables(report: Report, { isColor, columns }: Look): string {
  const lists = answersInOrder(report).flatMap((answer) => serviceListOf(answer) ?? []);
  if (lists.length === 0) return formatTable(summariesOf(report), isColor, columns);
  const listed = new Set<string | undefined>(lists.map(({ node }) => printable(node)));
  const others = summariesOf(report).filter(({ node }) => !listed.has(node));
  return formatServices(lists, isColor) + formatTable(others, isColor, columns);
}

/** The whole report in one text that ends with a line end, or is empty. */
export function printReport(format: Format, report: Report, look: Look): string {
  return printers[format](report, look);
}

/** Who answered and who did not, by name; v1 agents without one come last. */
function summariesOf(report: Report): Summary[] {
  const { unnamed, withheld, isAimKnown } = report.summary;
  const silent = silentNodes(report).map((node) =>
    isWaiting(report, node) ? summaryOfWaiting(node) : summaryOfSilent(node, absenceOf(report, node)),
  );
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
