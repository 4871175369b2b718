import type { Log } from '../platform/log.ts';
import type { AuditHead, AuditValue } from '../security/audit-chain.ts';
import { isServiceManagerError } from '../wire/errors.ts';
import type { RequestBody } from '../wire/request.ts';
import type { Sender } from './signatures.ts';

export type AuditFields = Readonly<Record<string, AuditValue>>;

/** Where audit events are kept. `write` throws STORE_UNUSABLE. */
export interface Audit {
  write(event: string, fields: AuditFields): void;
}

/** The audit log of a manager. */
export interface AuditLog extends Audit {
  readonly head: AuditHead;
  /** Notes elsewhere how far the log is, so that it is seen when its end is cut off. Throws STORE_UNUSABLE. */
  saveHead(): void;
}

/** Words what happens at the manager for its audit log. */
export class Auditor {
  readonly #audit: AuditLog | undefined;
  readonly #log: Log;
  #lost = 0;

  constructor(audit: AuditLog | undefined, log: Log) {
    this.#audit = audit;
    this.#log = log;
  }

  /** Events that could not be written. */
  get lost(): number {
    return this.#lost;
  }

  /** What happens whether it can be written or not. */
  event(event: string, fields: AuditFields): void {
    try {
      this.must(event, fields);
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      this.#lost += 1;
      this.#log.error('audit.failed', { event, error });
    }
  }

  /** Undefined where nothing is written down. */
  get head(): AuditHead | undefined {
    return this.#audit?.head;
  }

  saveHead(): void {
    try {
      this.#audit?.saveHead();
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      this.#log.error('audit.failed', { error });
    }
  }

  /** What must not happen unless it is written: throws STORE_UNUSABLE. */
  must(event: string, fields: AuditFields): void {
    this.#audit?.write(event, fields);
  }
}

/** Who asked, as far as that is known. */
export function senderFields(sender: Sender | undefined, address?: string): AuditFields {
  const from = address === undefined ? {} : { address };
  if (sender === undefined) return from;
  const { asker, fingerprint } = sender;
  return { [asker.role]: asker.name, fingerprint, ...from };
}

/** What was asked for, and whom it was aimed at. */
export function requestFields({ id, cmd, service, topic, nodes, exclude, limit }: RequestBody): AuditFields {
  return {
    id,
    action: cmd,
    service,
    target: nodes === undefined ? topic : nodes,
    ...(exclude === undefined ? {} : { exclude }),
    ...(limit === undefined ? {} : { limit }),
  };
}
