export type LogFields = Readonly<Record<string, unknown>>;

/** Events with a stable name and fields, not sentences. Never secrets, never whole frames. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}
