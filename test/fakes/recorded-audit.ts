import type { AuditFields, AuditLog } from '../../src/store/auditor.ts';
import { ServiceManagerError } from '../../src/wire/errors.ts';

/** An audit log that a test reads. */
export class RecordedAudit implements AuditLog {
  readonly events: Array<readonly [event: string, fields: AuditFields]> = [];
  /** How far it was when its head was noted. */
  readonly savedHeads: number[] = [];
  /** Nothing can be written. */
  isFailing = false;

  get head() {
    return { sequence: this.events.length, hash: 'a'.repeat(64) };
  }

  write(event: string, fields: AuditFields): void {
    this.#fail();
    this.events.push([event, fields]);
  }

  saveHead(): void {
    this.#fail();
    this.savedHeads.push(this.events.length);
  }

  /** Of all events, in order. */
  get names(): string[] {
    return this.events.map(([event]) => event);
  }

  named(event: string): AuditFields[] {
    return this.events.flatMap(([name, fields]) => (name === event ? [fields] : []));
  }

  #fail(): void {
    if (this.isFailing) throw new ServiceManagerError('STORE_UNUSABLE', 'no room for the audit log');
  }
}
