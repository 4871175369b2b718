import type { AuditHead } from '../security/audit-chain.ts';
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
  const head = known === undefined ? {} : { head: known.head, mayLeadBy: Number.POSITIVE_INFINITY };
  const verdict = await verifyChain(auditLines(read()), { mayBeginLate: true, ...head });
  const later = verdict.isIntact && known?.isLive ? await knownHead() : undefined;
  return { verdict: later?.isLive ? heldAgainst(verdict, later.head) : verdict, known };
}

function heldAgainst(verdict: AuditVerdict, head: AuditHead): AuditVerdict {
  if (!verdict.isIntact || verdict.head.sequence <= head.sequence) return verdict;
  const { first = 1 } = verdict;
  const sequence = head.sequence + 1;
  return {
    ...{ isIntact: false, fault: 'appended', lineNumber: sequence - first + 1 },
    ...{ expectedSequence: sequence, foundSequence: sequence },
  };
}
