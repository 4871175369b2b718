import type { LogFields, LogLevel, OpenLog } from '../../src/platform/log.ts';

export interface RecordedEvent {
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: LogFields;
}

/** A log that a test reads. */
export class RecordedLog implements OpenLog {
  readonly events: RecordedEvent[] = [];
  /** What was done to it beside logging: `level debug`, `reopen`, `close`. */
  readonly handling: string[] = [];
  /** From now on it cannot be reopened. */
  reopenFails: Error | undefined;

  setLevel(level: LogLevel): void {
    this.handling.push(`level ${level}`);
  }

  reopen(): void {
    if (this.reopenFails !== undefined) throw this.reopenFails;
    this.handling.push('reopen');
  }

  close(): void {
    this.handling.push('close');
  }

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
