/** The tables of the agent's database. See `DatabaseOptions.schema`. */
export const journalSchema: readonly string[] = [
  `
CREATE TABLE entries (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL,
  service TEXT NOT NULL,
  action TEXT NOT NULL,
  at INTEGER NOT NULL,
  payload BLOB
);
CREATE INDEX finished_entries ON entries (at) WHERE state <> 'started';

CREATE TABLE owed (id TEXT NOT NULL, manager TEXT NOT NULL, PRIMARY KEY (id, manager)) WITHOUT ROWID;

CREATE TRIGGER entry_deleted AFTER DELETE ON entries BEGIN
  DELETE FROM owed WHERE id = old.id;
END;
`,
];
