import type { StoredEntry } from '../core/ledger-events.ts';
import type { Outcome } from '../core/outcome.ts';
import type { NodeName, RequestId } from '../wire/fields.ts';
import type { RequestOverview, StoredAnswer, StoredRequest } from './store.ts';

/** A row of `requests` as r. */
export interface RequestRow {
  readonly seq: number;
  readonly id: RequestId;
  readonly form: StoredRequest['form'];
  readonly action: string;
  readonly topic: string;
  readonly service: string;
  readonly opened: number;
  readonly ends: number;
  readonly ended: number | null;
  readonly is_cancelled: number;
  readonly anonymous: number;
  readonly withheld: number;
  readonly signature: string;
  readonly rollout: string | null;
  readonly not_after: number | null;
  readonly by_what: string | null;
  readonly cancel_signature: string | null;
  readonly cancel_bytes: Uint8Array | null;
  readonly body: Uint8Array;
}

export const requestColumns = [
  'seq',
  'id',
  'form',
  'action',
  'topic',
  'service',
  'opened',
  'ends',
  'ended',
  'is_cancelled',
  'anonymous',
  'withheld',
  'signature',
  'rollout',
  'not_after',
  'by_what',
  'cancel_signature',
  'cancel_bytes',
  'body',
]
  .map((column) => `r.${column}`)
  .join(', ');

export interface OverviewRow extends RequestRow {
  readonly counts: string;
}

export interface EntryRow {
  readonly node: NodeName;
  readonly phase: StoredEntry['phase'];
  readonly outcome: Outcome | null;
  readonly is_anonymous: number;
}

export interface AnswerRow extends EntryRow {
  readonly at: number;
  readonly payload: Uint8Array | null;
}

export function requestOf(row: RequestRow): StoredRequest {
  const { id, form, action, topic, service, anonymous, withheld, signature } = row;
  return {
    ...{ id, form, action, topic, service, anonymous, withheld, signature },
    bodyBytes: bufferOf(row.body),
    openedWallMs: row.opened,
    endsWallMs: row.ends,
    endedWallMs: row.ended ?? undefined,
    isCancelled: row.is_cancelled === 1,
    ...(row.rollout === null ? {} : { rollout: row.rollout }),
    ...(row.not_after === null ? {} : { notAfterWallMs: row.not_after }),
    ...(row.by_what === null ? {} : { by: row.by_what }),
    ...cancelledOf(row),
  };
}

function cancelledOf({ cancel_bytes, cancel_signature }: RequestRow): Pick<StoredRequest, 'cancelled'> {
  if (cancel_signature === null) return {};
  // Some versions of Node.js 22 store an empty blob as NULL.
  const bytes = cancel_bytes === null ? Buffer.alloc(0) : bufferOf(cancel_bytes);
  return { cancelled: { bytes, signature: cancel_signature } };
}

export function overviewOf(row: OverviewRow): RequestOverview {
  // Written by our triggers, from outcomes only.
  return { ...requestOf(row), counts: JSON.parse(row.counts) as RequestOverview['counts'] };
}

export function entryOf({ node, phase, outcome, is_anonymous }: EntryRow): StoredEntry {
  return { node, phase, outcome: outcome ?? undefined, isAnonymous: is_anonymous === 1 };
}

export function answerOf(row: AnswerRow): StoredAnswer {
  const payload = row.payload === null ? undefined : bufferOf(row.payload);
  return { ...entryOf(row), payload, atWallMs: row.at };
}

/** The same bytes, not copied. */
export function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
