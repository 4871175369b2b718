import type { StoredEntry } from '../core/ledger-events.ts';
import { rememberUntilMs } from '../security/skew.ts';
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
      is_wide, signature, body, rollout, not_after, by_what, cancel_signature, cancel_bytes)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
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

const rememberSpent = `
  INSERT INTO spent_requests (id, until) VALUES (?, ?) ON CONFLICT DO UPDATE SET until = max(until, excluded.until)`;

const forgetSpent = `
  DELETE FROM spent_requests WHERE id IN (SELECT id FROM spent_requests WHERE until <= ? ORDER BY until LIMIT ?)`;

interface Oldest {
  readonly seq: number;
  readonly id: RequestId;
  readonly ended: number;
  readonly not_after: number | null;
}

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
    const { notAfterWallMs = null, by = null, cancelled } = request;
    const isWide = entries.length + anonymous >= nodesOfWide;
    this.#connection.transaction(() => {
      const added = this.#connection.run(
        insertRequest,
        ...[id, form, action, topic, service, openedWallMs, endsWallMs, endedWallMs, Number(isCancelled)],
        ...[anonymous, withheld, Number(isWide), signature, bodyBytes, rollout],
        ...[notAfterWallMs, by, cancelled?.signature ?? null, cancelled?.bytes ?? null],
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
    const {
      endsWallMs,
      endedWallMs = null,
      isCancelled,
      rollout = null,
      cancelled,
    } = { ...known, ...change };
    this.#connection.run(
      `UPDATE requests SET ends = ?, ended = ?, is_cancelled = ?, rollout = ?, cancel_signature = ?, cancel_bytes = ?
        WHERE id = ?`,
      ...[endsWallMs, endedWallMs, Number(isCancelled), rollout],
      ...[cancelled?.signature ?? null, cancelled?.bytes ?? null, id],
    );
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
      // No more at once than are added at once, so that this is as short.
      this.#connection.run(forgetSpent, nowWallMs, Math.min(maxDeletions, Number.MAX_SAFE_INTEGER));
      let deletions = 0;
      while (deletions < maxDeletions && this.#deleteOldest(bounds, nowWallMs)) deletions += 1;
      return deletions;
    });
  }

  isSpent(id: RequestId, nowWallMs: number): boolean {
    const sql = 'SELECT id FROM spent_requests WHERE id = ? AND until > ?';
    return this.#connection.get<{ id: RequestId }>(sql, id, nowWallMs) !== undefined;
  }

  #deleteOldest({ maxAgeMs, maxRequests, maxBytes }: HistoryBounds, nowWallMs: number): boolean {
    const totals = this.#connection.get<{ requests: number; bytes: number }>(
      'SELECT requests, bytes FROM totals',
    );
    const oldest = this.#connection.get<Oldest>(
      'SELECT seq, id, ended, not_after FROM requests WHERE ended IS NOT NULL ORDER BY ended, seq LIMIT 1',
    );
    if (totals === undefined || oldest === undefined) return false;
    const isTooOld = oldest.ended < nowWallMs - maxAgeMs;
    if (!isTooOld && totals.requests <= maxRequests && totals.bytes <= maxBytes) return false;
    this.#connection.run('DELETE FROM requests WHERE seq = ?', oldest.seq);
    this.#remember(oldest, nowWallMs);
    return true;
  }

  #remember({ id, not_after: notAfterMs }: Oldest, nowWallMs: number): void {
    if (notAfterMs === null || rememberUntilMs(notAfterMs) <= nowWallMs) return;
    this.#connection.run(rememberSpent, id, rememberUntilMs(notAfterMs));
  }

  #placeOf(id: RequestId): Place | undefined {
    const sql = 'SELECT seq, iif(is_wide, NULL, opened) AS opened FROM requests WHERE id = ?';
    return this.#connection.get<Place>(sql, id);
  }
}
