import { type AuditLine, readAuditLine } from '../security/audit-chain.ts';
import { auditLines } from '../security/audit-lines.ts';
import { matchesPattern } from '../security/service-pattern.ts';

export interface EntryConditions {
  /** Milliseconds since 1970. */
  readonly sinceMs?: number | undefined;
  /** A name, in which `*` stands for any characters. */
  readonly event?: string | undefined;
  /** The last ones of those that match. */
  readonly limit: number;
}

export interface Entry {
  readonly line: AuditLine;
  /** As it stands in the log. */
  readonly text: string;
}

export interface Entries {
  /** In the order of the log. */
  readonly entries: readonly Entry[];
  /** Lines that are not as they were written. */
  readonly unreadable: number;
}

/** Reads all of a log and keeps no more than what is wanted. */
export async function findEntries(
  log: AsyncIterable<Uint8Array>,
  { sinceMs = Number.NEGATIVE_INFINITY, event = '*', limit }: EntryConditions,
): Promise<Entries> {
  const entries: Entry[] = [];
  let unreadable = 0;
  for await (const text of auditLines(log)) {
    const line = readAuditLine(text);
    if (line === undefined) unreadable += 1;
    else if (Date.parse(line.time) >= sinceMs && matchesPattern(event, line.event))
      entries.push({ line, text });
    if (entries.length > limit) entries.shift();
  }
  return { entries, unreadable };
}
