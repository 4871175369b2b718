import { FloodLimit } from '../core/flood-limit.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { AuditHead, AuditValue } from '../security/audit-chain.ts';
import { isServiceManagerError } from '../wire/errors.ts';

export type AuditFields = Readonly<Record<string, AuditValue>>;

/** The audit log of a daemon. */
export interface AuditLog {
  readonly head: AuditHead;
  /** Throws STORE_UNUSABLE. */
  write(event: string, fields: AuditFields): void;
  /** Notes elsewhere how far the log is, so that it is seen when its end is cut off. Throws STORE_UNUSABLE. */
  saveHead(): void;
}

/** Writes down what happens, where that is wanted, and counts what could not be written. */
export class Auditor {
  readonly #audit: AuditLog | undefined;
  readonly #log: Log;
  readonly #clock: Pick<Clock, 'now'>;
  /** What nobody has proved must not push what matters out of the log: at 500 bytes a line, 40 MB a day. */
  readonly #strange = new FloodLimit();
  #lost = 0;

  /** `audit`: undefined where nothing is written down. */
  constructor(audit: AuditLog | undefined, log: Log, clock: Pick<Clock, 'now'>) {
    this.#audit = audit;
    this.#log = log;
    this.#clock = clock;
  }

  /** Events that could not be written. */
  get lost(): number {
    return this.#lost;
  }

  /** Undefined where nothing is written down. */
  get head(): AuditHead | undefined {
    return this.#audit?.head;
  }

  /** What must not happen unless it is written: throws STORE_UNUSABLE. */
  must(event: string, fields: AuditFields): void {
    this.#audit?.write(event, fields);
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

  /**
   * Of a few kinds, by whoever can reach a port, or a peer that was taken over: many a second are counted with the next one
   * that is written. False: it was too often, and is only counted.
   */
  strange(event: string, fields: AuditFields): boolean {
    const leftOut = this.#strange.pass(event, this.#clock.now());
    if (leftOut === undefined) return false;
    this.event(event, leftOut === 0 ? fields : { ...fields, leftOut });
    return true;
  }

  saveHead(): void {
    try {
      this.#audit?.saveHead();
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      this.#log.error('audit.failed', { error });
    }
  }
}
