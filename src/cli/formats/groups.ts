import { foldNames } from '../../core/fold.ts';
import { inNaturalOrder } from '../../core/natural-order.ts';
import type { Absence } from '../../wire/reply.ts';
import { absenceText } from './absence.ts';
import { painter, type Summary } from './summary.ts';

const longestShownText = 200;

interface Group {
  readonly summary: Summary;
  readonly nodes: string[];
  readonly absences: Absence[];
  unnamed: number;
}

/**
 * Nodes that say the same on one line, biggest group first: `web[01-38] running`. Two groups that read alike differ
 * in a later line of their output.
 */
export function formatGroups(summaries: readonly Summary[], isColor: boolean): string {
  const paint = painter(isColor);
  return inOrder(groupsOf(summaries))
    .map((group) => {
      const { summary } = group;
      const tail = summary.isSilent ? noteOf(group) : textOf(summary);
      return `${namesOf(group)} ${paint(summary, headOf(summary))}${tail}\n`;
    })
    .join('');
}

function groupsOf(summaries: readonly Summary[]): Group[] {
  const groups = new Map<string, Group>();
  for (const summary of summaries) {
    const key = keyOf(summary);
    const group = groups.get(key) ?? { summary, nodes: [], absences: [], unnamed: 0 };
    groups.set(key, group);
    if (summary.absence !== undefined) group.absences.push(summary.absence);
    if (summary.node === undefined) group.unnamed += summary.count;
    else group.nodes.push(summary.node);
  }
  return [...groups.values()];
}

function keyOf(summary: Summary): string {
  const { isState, isSilent, absence } = summary;
  // When each of them was last seen differs; whether they said goodbye is worth a line of its own.
  const said = absence === undefined ? saidBy(summary) : [`${absence.hasLeft === true}`];
  return JSON.stringify([isState, isSilent, absence !== undefined, headOf(summary), ...said]);
}

/** What is known of silent nodes, in brackets: ` (last seen 3 min to 2 h ago)`. */
function noteOf({ summary, absences }: Group): string {
  const note = absences.length > 0 ? absenceText(absences) : summary.lines[0];
  return note === undefined ? '' : ` (${note})`;
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
  const more = rest.length === 0 ? '' : ` [+${rest.length} lines]`;
  return `${behind(summary, shown)}${more}`;
}

/** A policy says itself that it refuses: once is enough. */
function behind({ word }: Summary, text: string): string {
  const [, again] = /^refused(:? .*)$/.exec(text) ?? [];
  return word === 'refused' && again !== undefined ? again : `: ${text}`;
}
