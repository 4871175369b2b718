/**
 * The tables of the manager's database. `seq` numbers the requests in the order in which they came; bodies stand last
 * in their row, so that what is in front is read without them.
 *
 * Counts and totals are kept by triggers: neither the list of requests nor the bounds of the history may cost a walk
 * over all answers.
 *
 * `answers.opened` is that of its request where it has few nodes, and NULL where it has many: see `nodesOfWide`.
 */
const first = `
CREATE TABLE requests (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  form TEXT NOT NULL,
  action TEXT NOT NULL,
  topic TEXT NOT NULL,
  service TEXT NOT NULL,
  opened INTEGER NOT NULL,
  ends INTEGER NOT NULL,
  ended INTEGER,
  is_cancelled INTEGER NOT NULL,
  anonymous INTEGER NOT NULL,
  withheld INTEGER NOT NULL,
  is_wide INTEGER NOT NULL,
  signature TEXT NOT NULL,
  body BLOB NOT NULL
);
CREATE INDEX requests_by_opening ON requests (opened);
CREATE INDEX requests_by_service ON requests (service, opened);
CREATE INDEX requests_by_end ON requests (ended);
CREATE INDEX wide_requests ON requests (opened) WHERE is_wide = 1;

CREATE TABLE answers (
  request INTEGER NOT NULL,
  node TEXT NOT NULL,
  phase TEXT NOT NULL,
  outcome TEXT,
  is_anonymous INTEGER NOT NULL,
  at INTEGER NOT NULL,
  opened INTEGER,
  payload BLOB,
  PRIMARY KEY (request, node)
);
CREATE INDEX answers_by_node ON answers (node, opened, request) WHERE opened IS NOT NULL;

CREATE TABLE outcome_counts (
  request INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  opened INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (request, outcome)
) WITHOUT ROWID;
CREATE INDEX requests_by_outcome ON outcome_counts (outcome, opened, request) WHERE count > 0;

CREATE TABLE totals (requests INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO totals VALUES (0, 0);

CREATE TABLE members (
  node TEXT PRIMARY KEY,
  presence TEXT NOT NULL,
  since INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  facts TEXT NOT NULL
);
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TRIGGER request_added AFTER INSERT ON requests BEGIN
  UPDATE totals SET requests = requests + 1, bytes = bytes + length(new.body);
END;
CREATE TRIGGER request_deleted AFTER DELETE ON requests BEGIN
  DELETE FROM answers WHERE request = old.seq;
  DELETE FROM outcome_counts WHERE request = old.seq;
  UPDATE totals SET requests = requests - 1, bytes = bytes - length(old.body);
END;

CREATE TRIGGER payload_added AFTER INSERT ON answers WHEN new.payload IS NOT NULL BEGIN
  UPDATE totals SET bytes = bytes + length(new.payload);
END;
CREATE TRIGGER payload_changed AFTER UPDATE OF payload ON answers WHEN new.payload IS NOT old.payload BEGIN
  UPDATE totals SET bytes = bytes + coalesce(length(new.payload), 0) - coalesce(length(old.payload), 0);
END;
CREATE TRIGGER payload_deleted AFTER DELETE ON answers WHEN old.payload IS NOT NULL BEGIN
  UPDATE totals SET bytes = bytes - length(old.payload);
END;

CREATE TRIGGER outcome_added AFTER INSERT ON answers WHEN new.outcome IS NOT NULL BEGIN
  INSERT INTO outcome_counts (request, outcome, opened, count)
    SELECT seq, new.outcome, opened, 1 FROM requests WHERE seq = new.request
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER outcome_changed AFTER UPDATE OF outcome ON answers WHEN new.outcome IS NOT old.outcome BEGIN
  UPDATE outcome_counts SET count = count - 1 WHERE request = old.request AND outcome = old.outcome;
  INSERT INTO outcome_counts (request, outcome, opened, count)
    SELECT seq, new.outcome, opened, 1 FROM requests WHERE seq = new.request AND new.outcome IS NOT NULL
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
`;

const rollouts = 'ALTER TABLE requests ADD COLUMN rollout TEXT';

// What is kept of a rollout names every node, and counts as a body does.
const rolloutBytes = `
CREATE TRIGGER rollout_added AFTER INSERT ON requests WHEN new.rollout IS NOT NULL BEGIN
  UPDATE totals SET bytes = bytes + length(CAST(new.rollout AS BLOB));
END;
CREATE TRIGGER rollout_changed AFTER UPDATE OF rollout ON requests WHEN new.rollout IS NOT old.rollout BEGIN
  UPDATE totals SET bytes = bytes + coalesce(length(CAST(new.rollout AS BLOB)), 0)
    - coalesce(length(CAST(old.rollout AS BLOB)), 0);
END;
CREATE TRIGGER rollout_deleted AFTER DELETE ON requests WHEN old.rollout IS NOT NULL BEGIN
  UPDATE totals SET bytes = bytes - length(CAST(old.rollout AS BLOB));
END;
UPDATE totals SET bytes = bytes + (SELECT coalesce(sum(length(CAST(rollout AS BLOB))), 0) FROM requests);
`;

// `by_what`: BY is a word of SQL. `until` of a spent request: how long its id must be remembered.
const security = `
CREATE TABLE keys (
  seq INTEGER PRIMARY KEY,
  fingerprint TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL,
  role TEXT NOT NULL,
  name TEXT NOT NULL,
  curve TEXT NOT NULL,
  sign TEXT,
  address TEXT,
  by_what TEXT,
  since INTEGER NOT NULL,
  decided INTEGER,
  until INTEGER,
  refused_others INTEGER NOT NULL
);
CREATE TABLE tokens (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  verifier TEXT NOT NULL,
  role TEXT NOT NULL,
  name TEXT,
  expires INTEGER NOT NULL,
  uses_left INTEGER NOT NULL
);

ALTER TABLE requests ADD COLUMN not_after INTEGER;
ALTER TABLE requests ADD COLUMN by_what TEXT;
ALTER TABLE requests ADD COLUMN cancel_signature TEXT;
ALTER TABLE requests ADD COLUMN cancel_bytes BLOB;
CREATE TRIGGER cancel_added AFTER INSERT ON requests WHEN new.cancel_bytes IS NOT NULL BEGIN
  UPDATE totals SET bytes = bytes + length(new.cancel_bytes);
END;
CREATE TRIGGER cancel_changed AFTER UPDATE OF cancel_bytes ON requests
  WHEN new.cancel_bytes IS NOT old.cancel_bytes BEGIN
  UPDATE totals SET bytes = bytes + coalesce(length(new.cancel_bytes), 0) - coalesce(length(old.cancel_bytes), 0);
END;
CREATE TRIGGER cancel_deleted AFTER DELETE ON requests WHEN old.cancel_bytes IS NOT NULL BEGIN
  UPDATE totals SET bytes = bytes - length(old.cancel_bytes);
END;

CREATE TABLE spent_requests (id TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX spent_requests_by_time ON spent_requests (until);
`;

/** See `DatabaseOptions.schema`. */
export const storeSchema: readonly string[] = [first, rollouts, rolloutBytes, security];

/**
 * From so many nodes on, a request is not in the index by node: opening it would write to as many places all over the
 * file. There are never many such requests, so whoever looks for a node asks each of them.
 */
export const nodesOfWide = 100;
