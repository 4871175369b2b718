import type { AuditFields, Auditor } from '../store/auditor.ts';
import type { ErrorCode } from '../wire/errors.ts';
import type { RequestId } from '../wire/fields.ts';
import { isRepeatable, type RequestBody } from '../wire/request.ts';
import type { Pass } from './gate.ts';

/** Tells the audit log of this host what is asked of it: it is written here, too, and not only at the manager. */
export class RequestAudit {
  readonly #auditor: Auditor;

  constructor(auditor: Auditor) {
    this.#auditor = auditor;
  }

  /** Of one that must not be done twice: throws STORE_UNUSABLE when it cannot be written, and then it must not begin. */
  received(body: RequestBody, pass: Extract<Pass, { isGood: true }>, manager: string): void {
    const { asker, fingerprint } = pass;
    const by = fingerprint === undefined ? {} : { [asker.role]: asker.name, fingerprint };
    const fields = { ...about(body), ...by, manager };
    if (isRepeatable(body)) this.#auditor.event('request.received', fields);
    else this.#auditor.must('request.received', fields);
  }

  /** By a manager that was taken over there may be any number of these. */
  refused(body: RequestBody, code: ErrorCode, reason: string, manager: string): void {
    this.#auditor.strange('request.refused', { ...about(body), code, reason, manager });
  }

  refusedCancel(id: RequestId, manager: string): void {
    this.#auditor.strange('cancel.refused', { id, manager });
  }

  answered(id: RequestId, outcome: Readonly<Record<string, string | number | undefined>>): void {
    const known = Object.entries(outcome).filter(
      (entry): entry is [string, string | number] => entry[1] !== undefined,
    );
    this.#auditor.event('request.answered', { id, ...Object.fromEntries(known) });
  }
}

function about({ id, cmd, service, topic, nodes }: RequestBody): AuditFields {
  return { id, action: cmd, service, target: nodes ?? topic };
}
