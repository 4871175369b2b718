import type { Notify } from '../../src/platform/notify.ts';

/** A service manager that a test reads. */
export class RecordedNotify implements Notify {
  readonly watchdogMs: number | undefined;
  readonly said: string[] = [];

  constructor(watchdogMs?: number) {
    this.watchdogMs = watchdogMs;
  }

  async send(...assignments: readonly string[]): Promise<void> {
    this.said.push(...assignments);
  }
}
