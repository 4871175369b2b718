import { FloodLimit } from '../core/flood-limit.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { AuditHead, AuditValue } from '../security/audit-chain.ts';
import { type ErrorCode, isServiceManagerError } from '../wire/errors.ts';
import type { RequestId } from '../wire/fields.ts';
import { isRepeatable, type RequestBody } from '../wire/request.ts';
import type { Pass } from './gate.ts';

type Fields = Readonly<Record<string, AuditValue>>;

/** The audit log of this host. */
export interface AuditLog {
  readonly head: AuditHead;
  /** Throws STORE_UNUSABLE. */
  write(event: string, fields: Fields): void;
  /** Notes elsewhere how far the log is, so that it is seen when its end is cut off. Throws STORE_UNUSABLE. */
  saveHead(): void;
}

/** Words what happens at the agent for its audit log. What is asked of a host is written there, too, and not only at the manager. */
export class AgentAudit {
  readonly #audit: AuditLog | undefined;
  readonly #log: Log;
  readonly #clock: Pick<Clock, 'now'>;
  /** A manager that was taken over must not push what matters out of the log. */
  readonly #floods = new FloodLimit();
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

  get head(): AuditHead | undefined {
    return this.#audit?.head;
  }

  /** Of one that must not be done twice: throws STORE_UNUSABLE when it cannot be written, and then it must not begin. */
  received(body: RequestBody, pass: Extract<Pass, { isGood: true }>, manager: string): void {
    const { asker, fingerprint } = pass;
    const by = fingerprint === undefined ? {} : { [asker.role]: asker.name, fingerprint };
    const fields = { ...about(body), ...by, manager };
    if (isRepeatable(body)) this.event('request.received', fields);
    else this.#audit?.write('request.received', fields);
  }

  refused(body: RequestBody, code: ErrorCode, reason: string, manager: string): void {
    this.ofManager('request.refused', { ...about(body), code, reason, manager });
  }

  refusedCancel(id: RequestId, manager: string): void {
    this.ofManager('cancel.refused', { id, manager });
  }

  answered(id: RequestId, outcome: Readonly<Record<string, string | number | undefined>>): void {
    const known = Object.entries(outcome).filter(
      (entry): entry is [string, string | number] => entry[1] !== undefined,
    );
    this.event('request.answered', { id, ...Object.fromEntries(known) });
  }

  event(event: string, fields: Fields): void {
    this.#orCount(event, () => this.#audit?.write(event, fields));
  }

  /** What a manager may cause as often as it likes. False: it was too often, and is only counted. */
  ofManager(event: string, fields: Fields): boolean {
    const leftOut = this.#floods.pass(event, this.#clock.now());
    if (leftOut === undefined) return false;
    this.event(event, leftOut === 0 ? fields : { ...fields, leftOut });
    return true;
  }

  saveHead(): void {
    this.#orCount('head', () => this.#audit?.saveHead());
  }

  #orCount(event: string, write: () => void): void {
    try {
      write();
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      this.#lost += 1;
      this.#log.error('audit.failed', { event, error });
    }
  }
}

function about({ id, cmd, service, topic, nodes }: RequestBody): Fields {
  return { id, action: cmd, service, target: nodes ?? topic };
}
