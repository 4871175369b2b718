import type { NodeInfo } from '../../client/index.ts';
import { formatHead, formatNodeLine, formatNodesTable, formatRow, nodesLayout } from '../formats/nodes.ts';
import type { Session } from '../session.ts';

/** Prints the nodes as they are, then a line for each change, until the session ends. */
export async function watchNodes(
  topic: string | undefined,
  format: 'table' | 'ndjson',
  { manager, output, ended }: Session,
): Promise<number> {
  const { nodes } = await manager.history.nodes(topic);
  const layout = nodesLayout(nodes);
  output.data(nodes.length === 0 && format === 'table' ? formatHead(layout) : formatted(format, nodes));
  const shown = new Map(nodes.map((node) => [node.node, stateOf(node)]));
  for await (const node of manager.history.watchNodes(topic, ended)) {
    if (shown.get(node.node) === stateOf(node)) continue;
    shown.set(node.node, stateOf(node));
    output.data(format === 'table' ? formatRow(layout, node) : formatNodeLine(node));
  }
  return 0;
}

function formatted(format: 'table' | 'ndjson', nodes: readonly NodeInfo[]): string {
  return format === 'table' ? formatNodesTable(nodes) : nodes.map(formatNodeLine).join('');
}

/** All but the times, which change with every sign of life. */
function stateOf(node: NodeInfo): string {
  return JSON.stringify({ ...node, lastSeenMs: 0, lastSeenAgoMs: 0 });
}
