import { foldNames } from '../../core/fold.ts';
import { inNaturalOrder } from '../../core/natural-order.ts';
import type { PolicyVerdict } from '../../wire/admin.ts';
import { printable, printableJson } from './printable.ts';

/** What a policy says of which nodes; below each the other rules that are about the same. */
export function formatVerdict({ groups }: PolicyVerdict): string {
  return groups.map(({ nodes, explanation }) => `${foldedNodes(nodes)}: ${indented(explanation)}\n`).join('');
}

export function formatVerdictJson({ groups }: PolicyVerdict): string {
  const shown = groups.map((group) => ({
    ...group,
    nodes: inNaturalOrder(group.nodes, (node) => node),
  }));
  return `${printableJson(JSON.stringify(shown, null, 4))}\n`;
}

function foldedNodes(nodes: readonly string[]): string {
  const names = printable(foldNames(nodes));
  return nodes.length === 1 ? names : `${names} (${nodes.length})`;
}

function indented(explanation: string): string {
  return explanation
    .split('\n')
    .map((line) => printable(line))
    .join('\n  ');
}
