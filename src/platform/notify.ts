/** Tells the service manager that started us how we are; see sd_notify(3). */
export interface Notify {
  /** It ends a program that does not send `WATCHDOG=1` at least this often; undefined when nobody watches. */
  readonly watchdogMs: number | undefined;
  /** Sends assignments such as `READY=1`, in the order of the calls. Never rejects: a daemon works without being heard. */
  send(...assignments: readonly string[]): Promise<void>;
}
