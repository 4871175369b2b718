import { type AuditHead, type AuditLine, auditStart, readAuditLine } from '../security/audit-chain.ts';
import type { AuditFault } from '../security/audit-verify.ts';

export interface AuditEnd {
  /** From where the log goes on. */
  readonly head: AuditHead;
  /** What is wrong with its end, if anything is. */
  readonly fault?: AuditFault;
}

/**
 * Looks at the lines of a log from the last one back to the head that was saved: they have to continue it. Otherwise
 * whoever cut off the log or wrote it anew while nobody wrote to it would not be found out any more, because the next head
 * would be that of his log. What stands before the saved head is for `verifyChain`. A log that is damaged goes on from
 * the saved head; without one, from the last line that can be read.
 */
export function endOf(linesBackwards: Iterable<string>, saved: AuditHead | undefined): AuditEnd {
  if (saved === undefined) return lastReadable(linesBackwards);
  const damaged = (fault: AuditFault): AuditEnd => ({ head: saved, fault });
  let last: AuditLine | undefined;
  let next: AuditLine | undefined;
  for (const text of linesBackwards) {
    const line = readAuditLine(text);
    if (line === undefined) return damaged('changed');
    last ??= line;
    if (next !== undefined && next.sequence !== line.sequence + 1) return damaged('dropped');
    if (next !== undefined && next.prev !== line.hash) return damaged('rewritten');
    if (continues(line, saved)) return { head: headOf(last) };
    if (line.sequence <= saved.sequence) return damaged(next === undefined ? 'truncated' : 'rewritten');
    next = line;
  }
  if (last !== undefined) return damaged('dropped');
  return saved.sequence === 0 ? { head: saved } : damaged('truncated');
}

function lastReadable(linesBackwards: Iterable<string>): AuditEnd {
  let isLast = true;
  for (const text of linesBackwards) {
    const line = readAuditLine(text);
    if (line !== undefined) return { head: headOf(line), ...(isLast ? {} : { fault: 'changed' }) };
    isLast = false;
  }
  return { head: auditStart, ...(isLast ? {} : { fault: 'changed' }) };
}

/** Whether it is the line of this head, or the one behind it. */
function continues(line: AuditLine, head: AuditHead): boolean {
  if (line.sequence === head.sequence) return line.hash === head.hash;
  return line.sequence === head.sequence + 1 && line.prev === head.hash;
}

function headOf({ sequence, hash }: AuditLine): AuditHead {
  return { sequence, hash };
}
