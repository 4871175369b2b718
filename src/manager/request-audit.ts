import { foldNames } from '../core/fold.ts';
import type { Ledger } from '../core/ledger.ts';
import type { Auditor } from '../store/auditor.ts';
import { readOnlyActions } from '../wire/fields.ts';
import type { RequestBody } from '../wire/request.ts';
import type { AimedAt } from './aimed-at.ts';
import { requestFields, senderFields } from './audit-fields.ts';
import type { Sender } from './signatures.ts';

/** Tells the audit log of requests from their opening to their end. */
export class RequestAudit {
  readonly #auditor: Auditor;
  readonly #addressOf: (sender: Sender) => string | undefined;

  constructor(auditor: Auditor, addressOf: (sender: Sender) => string | undefined) {
    this.#auditor = auditor;
    this.#addressOf = addressOf;
  }

  /** Of one that changes a service: throws STORE_UNUSABLE when it cannot be written, and then it must not be sent. */
  opening(body: RequestBody, { members, denials, rollout }: AimedAt, sender: Sender | undefined): void {
    const resolved = foldNames(members.map(({ node }) => node));
    const fields = {
      ...requestFields(body),
      ...senderFields(sender, sender === undefined ? undefined : this.#addressOf(sender)),
      ...{ resolved, nodes: members.length, denied: denials.size },
      ...(rollout === undefined ? {} : { batch: rollout.batch }),
    };
    if (readOnlyActions.has(body.cmd)) this.#auditor.event('request.accepted', fields);
    else this.#auditor.must('request.accepted', fields);
  }

  ended(ledger: Ledger): void {
    const { id, isCancelled } = ledger;
    this.#auditor.event('request.ended', { id, outcomes: { ...ledger.counts() }, isCancelled });
  }
}
