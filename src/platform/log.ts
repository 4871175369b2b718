export type LogFields = Readonly<Record<string, unknown>>;

/** Events with a stable name and fields, not sentences. Never secrets, never whole frames. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** From what says most to what says least. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** A log that its program owns. */
export interface OpenLog extends Log {
  /** Events below this level are left out from now on. Without effect on a log that was opened to say everything. */
  setLevel(level: LogLevel): void;
  /** After logrotate has renamed the file. Throws BAD_CONFIG, and goes on in the old one, when there can be no new one. */
  reopen(): void;
  /** What is logged afterwards goes nowhere. Twice is harmless. */
  close(): void;
}
