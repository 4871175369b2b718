import type { NodeInfo } from '../../client/index.ts';
import { inNaturalOrder } from '../../core/natural-order.ts';
import { ago, rfc3339 } from '../times.ts';
import { type Layout, layoutOf, lineOf, padded } from './columns.ts';
import { printable, printableJson } from './printable.ts';

export const nodeFormats = ['table', 'json', 'ndjson'] as const;
export type NodeFormat = (typeof nodeFormats)[number];

const head = ['NODE', 'PRESENCE', 'SYSTEM', 'OS', 'ROLES', 'AGENT', 'SINCE', 'LAST SEEN'];

/** One array, by name. */
export function formatNodesJson(nodes: readonly NodeInfo[]): string {
  const shown = inNaturalOrder(nodes, ({ node }) => node).map(withMoments);
  return `${printableJson(JSON.stringify(shown, null, 4))}\n`;
}

export function formatNodeLine(node: NodeInfo): string {
  return `${printableJson(JSON.stringify(withMoments(node)))}\n`;
}

/** The columns of these nodes. */
export function nodesLayout(nodes: readonly NodeInfo[]): Layout {
  return layoutOf(head, nodes.map(cellsOf));
}

/** Nothing at all without nodes. */
export function formatNodesTable(nodes: readonly NodeInfo[]): string {
  if (nodes.length === 0) return '';
  const layout = nodesLayout(nodes);
  return [
    formatHead(layout),
    ...inNaturalOrder(nodes, ({ node }) => node).map((node) => formatRow(layout, node)),
  ].join('');
}

export function formatHead(layout: Layout): string {
  return lineOf(padded(layout, layout.head));
}

/** A node in the columns of others, which may be too narrow for it. */
export function formatRow(layout: Layout, node: NodeInfo): string {
  return lineOf(padded(layout, cellsOf(node)));
}

function cellsOf(info: NodeInfo): string[] {
  const { node, system, os, osVersion, roles, agentVersion, sinceMs, lastSeenMs, lastSeenAgoMs } = info;
  // By the clock of the manager alone: ours may be set otherwise.
  const nowMs = lastSeenMs + lastSeenAgoMs;
  const cells = [
    node,
    presenceOf(info),
    system,
    [os, osVersion].filter((part) => part !== undefined).join(' '),
    roles.join(','),
    agentVersion,
    ago(nowMs - sinceMs),
    ago(lastSeenAgoMs),
  ];
  return cells.map((cell) => printable(cell) || '-');
}

function presenceOf({ presence, conflictingAgents }: NodeInfo): string {
  return conflictingAgents > 0 ? `CONFLICT (${conflictingAgents} agents)` : presence;
}

function withMoments(node: NodeInfo) {
  return {
    ...node,
    since: rfc3339(node.sinceMs),
    lastSeen: rfc3339(node.lastSeenMs),
    agentStarted: rfc3339(node.agentStartedMs),
  };
}
