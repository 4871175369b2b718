import type { StoredEntry } from '../core/ledger-events.ts';
import type { RequestId } from '../wire/fields.ts';
import type { Connection } from './connection.ts';
import {
  type AnswerRow,
  answerOf,
  type EntryRow,
  entryOf,
  type OverviewRow,
  overviewOf,
  type RequestRow,
  requestColumns,
  requestOf,
} from './request-rows.ts';
import { searchOf } from './request-search.ts';
import type {
  HistoryBounds,
  RequestFilter,
  RequestOverview,
  Store,
  StoredAnswer,
  StoredRequest,
} from './store.ts';
import { nodesOfWide } from './store-schema.ts';

type Answer = StoredAnswer & { readonly id: RequestId };

const insertRequest = `
  INSERT INTO requests (id, form, action, topic, service, opened, ends, ended, is_cancelled, anonymous, withheld,
      is_wide, signature, body, rollout)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING`;

// One statement for all: a request to thousands of nodes waits for this before it is sent.
const insertEntries = `
  INSERT INTO answers (request, node, phase, outcome, is_anonymous, at, opened)
    SELECT seq, value->>'node', value->>'phase', value->>'outcome', value->>'isAnonymous', opened,
        iif(is_wide, NULL, opened)
      FROM requests JOIN json_each(?) WHERE requests.id = ?
    ON CONFLICT DO NOTHING`;

const saveAnswer = `
  INSERT INTO answers (request, opened, node, phase, outcome, is_anonymous, at, payload)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
      phase = excluded.phase, outcome = excluded.outcome, is_anonymous = excluded.is_anonymous,
      at = iif(excluded.payload IS NULL AND payload IS NOT NULL, at, excluded.at),
      payload = coalesce(excluded.payload, payload)`;

/** Where the answers of a request belong. */
interface Place {
  readonly seq: number;
  readonly opened: number | null;
}

/** The part of the store that is about requests. */
export class SqliteHistory {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  open(request: StoredRequest, entries: readonly StoredEntry[]): void {
    const { id, form, action, topic, service, anonymous, withheld, signature } = request;
    const { openedWallMs, endsWallMs, endedWallMs = null, isCancelled, bodyBytes, rollout = null } = request;
    const isWide = entries.length + anonymous >= nodesOfWide;
    this.#connection.transaction(() => {
      const added = this.#connection.run(
        insertRequest,
        ...[id, form, action, topic, service, openedWallMs, endsWallMs, endedWallMs, Number(isCancelled)],
        ...[anonymous, withheld, Number(isWide), signature, bodyBytes, rollout],
      );
      if (added > 0) this.#connection.run(insertEntries, JSON.stringify(entries), id);
    });
  }

  saveAnswers(answers: readonly Answer[]): void {
    const places = new Map<RequestId, Place | undefined>();
    this.#connection.transaction(() => {
      for (const answer of answers) {
        const { id, node, phase, outcome = null, isAnonymous, atWallMs, payload = null } = answer;
        if (!places.has(id)) places.set(id, this.#placeOf(id));
        const place = places.get(id);
        // Its request may have been deleted meanwhile.
        if (place === undefined) continue;
        const entry = [node, phase, outcome, Number(isAnonymous), atWallMs, payload];
        this.#connection.run(saveAnswer, place.seq, place.opened, ...entry);
      }
    });
  }

  update(id: RequestId, change: Parameters<Store['updateRequest']>[1]): void {
    const known = this.request(id);
    if (known === undefined) return;
    const { endsWallMs, endedWallMs = null, isCancelled, rollout = null } = { ...known, ...change };
    const sql = 'UPDATE requests SET ends = ?, ended = ?, is_cancelled = ?, rollout = ? WHERE id = ?';
    this.#connection.run(sql, endsWallMs, endedWallMs, Number(isCancelled), rollout, id);
  }

  request(id: RequestId): StoredRequest | undefined {
    const row = this.#connection.get<RequestRow>(
      `SELECT ${requestColumns} FROM requests AS r WHERE r.id = ?`,
      id,
    );
    return row === undefined ? undefined : requestOf(row);
  }

  answers(id: RequestId, { afterNode, limit, maxBytes }: Parameters<Store['answers']>[1]): StoredAnswer[] {
    const found: StoredAnswer[] = [];
    let bytes = 0;
    const take = (row: AnswerRow): boolean => {
      bytes += row.payload?.byteLength ?? 0;
      const isRoom = found.length === 0 || bytes <= maxBytes;
      if (isRoom) found.push(answerOf(row));
      return isRoom;
    };
    this.#connection.takeWhile(
      take,
      `SELECT node, phase, outcome, is_anonymous, at, payload FROM answers
        WHERE request = (SELECT seq FROM requests WHERE id = ?) AND node > ? ORDER BY node LIMIT ?`,
      ...[id, afterNode ?? '', Math.min(limit, Number.MAX_SAFE_INTEGER)],
    );
    return found;
  }

  entries(id: RequestId): StoredEntry[] {
    const sql = `SELECT node, phase, outcome, is_anonymous FROM answers
      WHERE request = (SELECT seq FROM requests WHERE id = ?) ORDER BY node`;
    return this.#connection.all<EntryRow>(sql, id).map(entryOf);
  }

  visit(filter: RequestFilter, visitor: (overview: RequestOverview) => void): void {
    const { sql, values } = searchOf(filter);
    const take = (row: OverviewRow): boolean => {
      visitor(overviewOf(row));
      return true;
    };
    this.#connection.takeWhile(take, sql, values);
  }

  unfinished(endedSinceWallMs: number): StoredRequest[] {
    // Put together, as with OR all requests would be walked through in the order of their opening.
    const sql = `
      SELECT ${requestColumns}
        FROM (SELECT seq FROM requests WHERE ended IS NULL UNION ALL SELECT seq FROM requests WHERE ended >= ?) AS found
        CROSS JOIN requests AS r ON r.seq = found.seq
      ORDER BY r.opened, r.seq`;
    return this.#connection.all<RequestRow>(sql, endedSinceWallMs).map(requestOf);
  }

  prune(bounds: HistoryBounds, nowWallMs: number, maxDeletions: number): number {
    return this.#connection.transaction(() => {
      let deletions = 0;
      while (deletions < maxDeletions && this.#deleteOldest(bounds, nowWallMs)) deletions += 1;
      return deletions;
    });
  }

  #deleteOldest({ maxAgeMs, maxRequests, maxBytes }: HistoryBounds, nowWallMs: number): boolean {
    const totals = this.#connection.get<{ requests: number; bytes: number }>(
      'SELECT requests, bytes FROM totals',
    );
    const oldest = this.#connection.get<{ seq: number; ended: number }>(
      'SELECT seq, ended FROM requests WHERE ended IS NOT NULL ORDER BY ended, seq LIMIT 1',
    );
    if (totals === undefined || oldest === undefined) return false;
    const isTooOld = oldest.ended < nowWallMs - maxAgeMs;
    if (!isTooOld && totals.requests <= maxRequests && totals.bytes <= maxBytes) return false;
    this.#connection.run('DELETE FROM requests WHERE seq = ?', oldest.seq);
    return true;
  }

  #placeOf(id: RequestId): Place | undefined {
    const sql = 'SELECT seq, iif(is_wide, NULL, opened) AS opened FROM requests WHERE id = ?';
    return this.#connection.get<Place>(sql, id);
  }
}
