import type { Log, LogFields } from '../../src/platform/log.ts';

export interface RecordedEvent {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly event: string;
  readonly fields: LogFields;
}

/** A log that a test reads. */
export class RecordedLog implements Log {
  readonly events: RecordedEvent[] = [];

  debug(event: string, fields: LogFields = {}): void {
    this.events.push({ level: 'debug', event, fields });
  }

  info(event: string, fields: LogFields = {}): void {
    this.events.push({ level: 'info', event, fields });
  }

  warn(event: string, fields: LogFields = {}): void {
    this.events.push({ level: 'warn', event, fields });
  }

  error(event: string, fields: LogFields = {}): void {
    this.events.push({ level: 'error', event, fields });
  }

  named(event: string): RecordedEvent[] {
    return this.events.filter((recorded) => recorded.event === event);
  }
}
