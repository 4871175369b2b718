import { Rejects } from '../core/rejects.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Auditor } from '../store/auditor.ts';
import type { ErrorCode } from '../wire/errors.ts';
import type { Door } from './doors.ts';

/** Counts the messages that are turned away at the doors, and tells the log and the audit log of some of them. */
export class TurnedAway {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #log: Log;
  readonly #auditor: Auditor;
  readonly #rejects = new Rejects();

  constructor(clock: Pick<Clock, 'now'>, log: Log, auditor: Auditor) {
    this.#clock = clock;
    this.#log = log;
    this.#auditor = auditor;
  }

  get count(): number {
    return this.#rejects.count;
  }

  /** `peer`: what the socket pattern knows of the sender; empty where it knows nothing. */
  add(door: Door, code: ErrorCode, reason: string, peer = ''): void {
    const fields = this.#rejects.add({ door, peer, code, reason }, this.#clock.now());
    if (fields === undefined) return;
    this.#log.warn('message.rejected', { ...fields });
    this.#auditor.strange('message.rejected', { ...fields });
  }
}
