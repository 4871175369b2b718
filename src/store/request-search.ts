import { requestColumns } from './request-rows.ts';
import type { SqliteValue } from './runtime-sqlite.ts';
import type { RequestFilter } from './store.ts';

export interface Search {
  readonly sql: string;
  readonly values: Readonly<Record<string, SqliteValue>>;
}

const counts = `(
  SELECT json_group_object(outcome, count) FROM outcome_counts WHERE request = r.seq AND count > 0
) AS counts`;

/** Selects overviews. What is searched first decides the time that it takes: the one with the fewest requests. */
export function searchOf(filter: RequestFilter): Search {
  const found = filter.node !== undefined ? foundByNode(filter) : foundByOutcomeOrTime(filter);
  return {
    sql: `SELECT ${requestColumns}, ${counts} FROM (${found}) AS found CROSS JOIN requests AS r ON r.seq = found.seq
      ORDER BY r.opened DESC, r.seq DESC LIMIT :limit`,
    values: valuesOf(filter),
  };
}

function foundByOutcomeOrTime(filter: RequestFilter): string {
  if (filter.outcome === undefined) return newest('requests AS r', conditionsOn('r', filter));
  const conditions = ['c.outcome = :outcome', 'c.count > 0', ...conditionsOn('c', filter)];
  return newest('outcome_counts AS c CROSS JOIN requests AS r ON r.seq = c.request', conditions, 'c');
}

/** See `nodesOfWide`. */
function foundByNode(filter: RequestFilter): string {
  const more = filter.outcome === undefined ? [] : [hasOutcome];
  const narrow = ['a.node = :node', 'a.opened IS NOT NULL', ...conditionsOn('a', filter), ...more];
  const wide = ['r.is_wide = 1', ...conditionsOn('r', filter), hasNode, ...more];
  return `
    SELECT seq FROM (${newest('answers AS a CROSS JOIN requests AS r ON r.seq = a.request', narrow, 'a')})
    UNION ALL
    SELECT seq FROM (${newest('requests AS r INDEXED BY wide_requests', wide)})`;
}

const hasOutcome = `EXISTS (
  SELECT 1 FROM outcome_counts WHERE request = r.seq AND outcome = :outcome AND count > 0
)`;
const hasNode = 'EXISTS (SELECT 1 FROM answers WHERE request = r.seq AND node = :node)';

/** `timed`: the table whose index has the time of opening. */
function conditionsOn(timed: string, { sinceWallMs, service }: RequestFilter): string[] {
  return [
    ...(sinceWallMs === undefined ? [] : [`${timed}.opened >= :since`]),
    ...(service === undefined ? [] : ['r.service = :service']),
  ];
}

function newest(tables: string, conditions: readonly string[], timed = 'r'): string {
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const seq = timed === 'r' ? 'seq' : 'request';
  return `SELECT r.seq FROM ${tables} ${where}
    ORDER BY ${timed}.opened DESC, ${timed}.${seq} DESC LIMIT :limit`;
}

function valuesOf({
  sinceWallMs,
  node,
  service,
  outcome,
  limit,
}: RequestFilter): Record<string, SqliteValue> {
  return {
    // As a limit SQLite takes whole numbers only, which Infinity is not.
    limit: Math.min(limit, Number.MAX_SAFE_INTEGER),
    ...(sinceWallMs === undefined ? {} : { since: sinceWallMs }),
    ...(node === undefined ? {} : { node }),
    ...(service === undefined ? {} : { service }),
    ...(outcome === undefined ? {} : { outcome }),
  };
}
