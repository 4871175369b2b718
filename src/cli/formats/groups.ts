import { foldNames } from '../../core/fold.ts';
import { inNaturalOrder } from '../../core/natural-order.ts';
import type { Answer } from '../../wire/result.ts';
import { painter, type Summary, summaryOf } from './summary.ts';

const longestShownText = 200;

interface Group {
  readonly summary: Summary;
  readonly nodes: string[];
  unnamed: number;
}

/**
 * Nodes that say the same on one line, biggest group first: `web[01-38] running`. Two groups that read alike differ
 * in a later line of their output.
 */
export function formatGroups(answers: readonly Answer[], isColor: boolean): string {
  const paint = painter(isColor);
  return inOrder(groupsOf(answers))
    .map(
      (group) => `${namesOf(group)} ${paint(group.summary, headOf(group.summary))}${textOf(group.summary)}\n`,
    )
    .join('');
}

function groupsOf(answers: readonly Answer[]): Group[] {
  const groups = new Map<string, Group>();
  for (const answer of answers) {
    const summary = summaryOf(answer);
    const key = JSON.stringify([summary.isState, headOf(summary), ...saidBy(summary)]);
    const group = groups.get(key) ?? { summary, nodes: [], unnamed: 0 };
    groups.set(key, group);
    if (summary.node === undefined) group.unnamed += 1;
    else group.nodes.push(summary.node);
  }
  return [...groups.values()];
}

/**
 * What must be equal in one group. The text of a status differs on every host (process ids, times, memory): of a
 * service that runs the state says it all, of another one the first line has the reason.
 */
function saidBy(summary: Summary): string[] {
  const lines = summary.lines.map(withoutProcessIds);
  if (!summary.isState) return lines;
  return summary.outcome === 'ok' ? [] : lines.slice(0, 1);
}

function withoutProcessIds(line: string): string {
  return line.replace(/\b(pids?\b[ :=#]*)\d+(?:[ ,]+\d+)*/gi, '$1N');
}

function inOrder(groups: readonly Group[]): Group[] {
  const byName = inNaturalOrder(groups, namesOf);
  return byName.sort((one, other) => sizeOf(other) - sizeOf(one));
}

function sizeOf({ nodes, unnamed }: Group): number {
  return nodes.length + unnamed;
}

function namesOf({ nodes, unnamed }: Group): string {
  const names = nodes.length === 0 ? [] : [foldNames(nodes)];
  return [...names, ...(unnamed === 0 ? [] : [`(${unnamed} unnamed)`])].join(',');
}

/** The word, and why it is not a good one: `stopped (3)`. */
function headOf({ word, returncode, isTimedOut }: Summary): string {
  if (isTimedOut) return `${word} (timed out)`;
  return returncode === undefined || returncode === 0 ? word : `${word} (${returncode})`;
}

function textOf(summary: Summary): string {
  const [first, ...rest] = saidBy(summary);
  if (first === undefined) return '';
  const shown = first.length <= longestShownText ? first : `${first.slice(0, longestShownText)}...`;
  return rest.length === 0 ? `: ${shown}` : `: ${shown} [+${rest.length} lines]`;
}
