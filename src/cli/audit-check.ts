import { type AuditHead, auditStart, readAuditLine } from '../security/audit-chain.ts';
import { auditLines } from '../security/audit-lines.ts';
import { type AuditVerdict, verifyChain } from '../security/audit-verify.ts';

/** How far a log is, by somebody else than the log itself. */
export interface KnownHead {
  readonly head: AuditHead;
  /** From the daemon that writes the log, and not from what it noted when it last had the time. */
  readonly isLive: boolean;
}

export interface AuditCheck {
  readonly verdict: AuditVerdict;
  readonly known: KnownHead | undefined;
  /** The number before its first line: 0, unless what stood before was removed. */
  readonly removedUntil: number;
}

/**
 * Reads all of a log and holds it against its head. A daemon may go on writing meanwhile, so its head is asked for before
 * and behind: what stands in the file must never be further than the daemon is.
 */
export async function checkAudit(
  read: () => AsyncIterable<Uint8Array>,
  knownHead: () => Promise<KnownHead | undefined>,
): Promise<AuditCheck> {
  const known = await knownHead();
  const lines = auditLines(read());
  const { value: first = '', done: isEmpty } = await lines.next();
  const from = beginOf(first);
  const whole = isEmpty ? lines : behind(first, lines);
  const head = known === undefined ? {} : { head: known.head, mayLeadBy: Number.POSITIVE_INFINITY };
  const verdict = await verifyChain(whole, { from, ...head });
  const later = verdict.isIntact && known?.isLive ? await knownHead() : undefined;
  const held = later?.isLive ? heldAgainst(verdict, later.head, from) : verdict;
  return { verdict: held, known, removedUntil: from.sequence };
}

/** A log that grew too large has lost its beginning: what its first line says of that is taken as it is. */
function beginOf(first: string): AuditHead {
  const line = readAuditLine(first);
  return line === undefined ? auditStart : { sequence: line.sequence - 1, hash: line.prev };
}

function heldAgainst(verdict: AuditVerdict, head: AuditHead, from: AuditHead): AuditVerdict {
  if (!verdict.isIntact || verdict.head.sequence <= head.sequence) return verdict;
  const sequence = head.sequence + 1;
  return {
    ...{ isIntact: false, fault: 'appended', lineNumber: sequence - from.sequence },
    ...{ expectedSequence: sequence, foundSequence: sequence },
  };
}

async function* behind(first: string, others: AsyncIterable<string>): AsyncGenerator<string> {
  yield first;
  yield* others;
}
