import type { RequestInfo, RolloutInfo } from '../../client/index.ts';
import { foldNames } from '../../core/fold.ts';
import { outcomes } from '../../core/outcome.ts';
import { ago, rfc3339, span } from '../times.ts';
import { cutTo, formatFields, layoutOf, lineOf, padded } from './columns.ts';
import { printable, printableJson } from './printable.ts';

// An expression may be as long as a page.
const widestTarget = 60;

/** Newest first, as they come; nothing at all without requests. Who asked stands there where it is known of any. */
export function formatRequestsTable(requests: readonly RequestInfo[], nowWallMs: number): string {
  if (requests.length === 0) return '';
  const hasAskers = requests.some(({ by }) => by !== undefined);
  const ifAsked = (cell: string) => (hasAskers ? [cell] : []);
  const head = ['ID', 'OPENED', 'ACTION', 'SERVICE', 'TARGET', ...ifAsked('BY'), 'STATUS', 'OUTCOMES'];
  const rows = requests.map((request) =>
    [
      request.id,
      ago(nowWallMs - request.openedMs),
      request.action,
      request.service,
      cutTo(widestTarget, targetOf(request)),
      ...ifAsked(request.by ?? ''),
      statusOf(request),
      outcomesOf(request),
    ].map((cell) => printable(cell) || '-'),
  );
  const layout = layoutOf(head, rows);
  return [head, ...rows].map((cells) => lineOf(padded(layout, cells))).join('');
}

export function formatRequestsJson(requests: readonly RequestInfo[]): string {
  return `${printableJson(JSON.stringify(requests.map(withMoments), null, 4))}\n`;
}

export function formatRequestLine(request: RequestInfo): string {
  return `${printableJson(JSON.stringify(withMoments(request)))}\n`;
}

/** What stands above the nodes of one request. */
export function formatRequestHead(request: RequestInfo, nowWallMs: number): string {
  const { id, action, service, openedMs, endedMs } = request;
  return formatFields([
    ['request', id],
    ['order', `${action} ${service} on ${targetOf(request)}`],
    ...(request.by === undefined ? [] : [['by', request.by] as const]),
    ['opened', `${rfc3339(openedMs) ?? '-'}, ${ago(nowWallMs - openedMs)}`],
    [
      'status',
      endedMs === undefined ? statusOf(request) : `${statusOf(request)} after ${lasted(endedMs - openedMs)}`,
    ],
    ...(request.rollout === undefined ? [] : [['rollout', rolloutText(request.rollout)] as const]),
    ['outcomes', outcomesOf(request)],
  ]);
}

/** Most requests take less than a second. */
function lasted(ms: number): string {
  return ms < 1_000 ? `${Math.max(0, Math.round(ms))} ms` : span(ms);
}

function targetOf({ nodes, moreNodes = 0, topic }: RequestInfo): string {
  if (nodes === undefined) return topic;
  return moreNodes === 0 ? foldNames(nodes) : `${foldNames(nodes)} and ${moreNodes} more`;
}

function statusOf({ endedMs, isCancelled, rollout }: RequestInfo): string {
  if (endedMs === undefined && isCancelled) return 'being cancelled';
  if (endedMs === undefined) return rollout === undefined ? 'open' : `open, ${batchText(rollout)}`;
  if (isCancelled) return 'cancelled';
  return rollout?.stopped === undefined ? 'over' : 'stopped';
}

function batchText({ batch, batches }: RolloutInfo): string {
  return `batch ${batch}/${batches}`;
}

/** `batch 2/5, 8 nodes have had their turn; stopped: 3 nodes failed` */
function rolloutText(rollout: RolloutInfo): string {
  const { started, stopped } = rollout;
  const turns = started === 1 ? '1 node has had its turn' : `${started} nodes have had their turn`;
  return `${batchText(rollout)}, ${turns}${stopped === undefined ? '' : `; stopped: ${stopped}`}`;
}

/** In the order of the outcomes: `12 ok, 2 failed`. */
function outcomesOf({ counts }: RequestInfo): string {
  return outcomes.flatMap((outcome) => (counts[outcome] ? [`${counts[outcome]} ${outcome}`] : [])).join(', ');
}

function withMoments(request: RequestInfo) {
  const { openedMs, endsMs, endedMs } = request;
  return {
    ...request,
    opened: rfc3339(openedMs),
    ends: rfc3339(endsMs),
    ...(endedMs === undefined ? {} : { ended: rfc3339(endedMs) }),
  };
}
