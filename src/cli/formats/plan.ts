import type { Absence, Plan } from '../../client/index.ts';
import { foldNames } from '../../core/fold.ts';
import { absenceText } from './absence.ts';
import { printable, printableJson } from './printable.ts';

// Equal batches from so many on are counted.
const leastRepeats = 4;

/** How many nodes a plan is aimed at, alive and lost ones, with v1 agents. */
export function sizeOfPlan({ nodes, absent, unnamed }: Plan): number {
  return nodes.length + absent.length + unnamed;
}

/** Whom a request would reach, for people; each line with its line end. `shorten` cuts long lists of names. */
export function formatPlan(plan: Plan, shorten: (names: string) => string = (names) => names): string {
  const { nodes, absent, denied = [], unnamed, withheld, batches } = plan;
  const names = (list: readonly string[]): string => shorten(printable(foldNames(list)));
  const lines = [
    `alive (${nodes.length})${nodes.length === 0 ? '' : `: ${names(nodes)}`}`,
    ...[false, true].flatMap((hasLeft) => absentLine(absent, hasLeft, names)),
    ...deniedLines(denied, names),
    ...(unnamed === 0 ? [] : [`v1 agents, which have no names: ${unnamed}`]),
    ...(withheld === 0 ? [] : [`v1 agents, not asked: ${withheld}`]),
    ...(batches === undefined ? [] : [`batches: ${batchesText(batches)}`]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

export function formatPlanJson(plan: Plan): string {
  return `${printableJson(JSON.stringify(plan, null, 4))}\n`;
}

function absentLine(
  absent: readonly Absence[],
  wantsLeft: boolean,
  names: (list: readonly string[]) => string,
): string[] {
  const group = absent.filter(({ hasLeft = false }) => hasLeft === wantsLeft);
  if (group.length === 0) return [];
  const word = wantsLeft ? 'left' : 'lost';
  return [`${word} (${group.length}): ${names(group.map(({ node }) => node))} (${absenceText(group)})`];
}

/** Those of them for which the policy refuses it, by the rule that does. */
function deniedLines(
  denied: NonNullable<Plan['denied']>,
  names: (list: readonly string[]) => string,
): string[] {
  const reasons = [...new Set(denied.map(({ reason }) => reason))];
  return reasons.map((reason) => {
    const group = denied.filter((each) => each.reason === reason).map(({ node }) => node);
    return `denied (${group.length}): ${names(group)} (${printable(reason)})`;
  });
}

/** `1, 5, 5, 2`; of many equal ones `1, 40 x 5, 2`. */
function batchesText(batches: readonly number[]): string {
  const runs: Array<{ readonly size: number; count: number }> = [];
  for (const size of batches) {
    const last = runs.at(-1);
    if (last?.size === size) last.count += 1;
    else runs.push({ size, count: 1 });
  }
  const texts = runs.flatMap(({ size, count }) =>
    count < leastRepeats ? Array<string>(count).fill(String(size)) : [`${count} x ${size}`],
  );
  return texts.length === 0 ? 'none' : texts.join(', ');
}
