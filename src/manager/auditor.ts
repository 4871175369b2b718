import { FloodLimit } from '../core/flood-limit.ts';
import type { Clock } from '../platform/clock.ts';
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
  readonly #clock: Pick<Clock, 'now'>;
  /** What nobody has proved must not push what matters out of the log: at 500 bytes a line, 40 MB a day. */
  readonly #strange = new FloodLimit();
  #lost = 0;

  constructor(audit: AuditLog | undefined, log: Log, clock: Pick<Clock, 'now'>) {
    this.#audit = audit;
    this.#log = log;
    this.#clock = clock;
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

  /** Of a few kinds, by whoever can reach a port: many a second are counted with the next one that is written. */
  strange(event: string, fields: AuditFields): void {
    const leftOut = this.#strange.pass(event, this.#clock.now());
    if (leftOut !== undefined) this.event(event, leftOut === 0 ? fields : { ...fields, leftOut });
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
