import { basename } from 'node:path';
import type { AppendFile, AppendFiles } from '../platform/append-file.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { type AuditEvent, type AuditHead, auditStart, nextLine } from '../security/audit-chain.ts';
import { isServiceManagerError } from '../wire/errors.ts';
import { endOf } from './audit-end.ts';
import type { AuditHeads } from './audit-heads.ts';

export interface AuditTrailOptions {
  readonly files: AppendFiles;
  readonly path: string;
  readonly heads: AuditHeads;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly log: Log;
  /** A part that has so many bytes is put aside. */
  readonly maxPartBytes?: number;
  /** Of all parts together; then the oldest are removed. Not less than two parts have. */
  readonly maxBytes?: number;
}

const mebibyte = 1024 * 1024;

/** Writes the audit log of one program. Nobody else writes to it, and what was written is never changed. */
export class AuditTrail {
  readonly #options: AuditTrailOptions;
  readonly #file: AppendFile;
  #head = auditStart;
  #savedHead: AuditHead | undefined;
  /** Parts that were removed, of which the log does not tell yet. */
  #removed: string[] = [];
  #hasFailedToTurn = false;
  #isClosed = false;

  private constructor(options: AuditTrailOptions, file: AppendFile, savedHead: AuditHead | undefined) {
    this.#options = options;
    this.#file = file;
    this.#savedHead = savedHead;
  }

  /**
   * Goes on where the log ends. One that does not continue the saved head is put aside as it is, and the next line continues
   * that head: `verifyChain` finds what is wrong, now and later. Throws STORE_UNUSABLE.
   */
  static open(options: AuditTrailOptions): AuditTrail {
    const { files, path, log } = options;
    const savedHead = loadHead(options);
    const file = files.open(path, (torn) => log.warn('audit.torn', { file: path, ...torn }));
    try {
      const trail = new AuditTrail(options, file, savedHead);
      trail.#begin();
      return trail;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Of the last line that was written. */
  get head(): AuditHead {
    return this.#head;
  }

  /**
   * It outlives the death of this program when the call returns. Throws STORE_UNUSABLE, and has written nothing then: the
   * caller decides whether to go on without.
   */
  write(event: AuditEvent['event'], fields: AuditEvent['fields']): void {
    const { maxPartBytes = 32 * mebibyte } = this.#options;
    if (this.#file.bytes >= maxPartBytes) this.#turn();
    if (this.#removed.length > 0) {
      this.#append('audit.removed', { parts: this.#removed });
      this.#removed = [];
    }
    this.#append(event, fields);
  }

  /**
   * Lines up to now are found out when they are missing later, also after a power failure. Costs a few writes to the disk, so
   * it is for once a second, and for the end. Throws STORE_UNUSABLE.
   */
  saveHead(): void {
    const head = this.#head;
    if (head.sequence === (this.#savedHead?.sequence ?? 0)) return;
    // First the lines: a head that is ahead of them would look as if somebody had cut them off.
    this.#file.sync();
    this.#options.heads.save(head);
    this.#savedHead = head;
  }

  /** Saves the head. Twice is harmless. Throws STORE_UNUSABLE. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.saveHead();
    } finally {
      this.#file.close();
    }
  }

  #begin(): void {
    const { files, path, log } = this.#options;
    const { head, fault } = endOf(files.linesBackwards(path), this.#savedHead);
    this.#head = head;
    if (fault === undefined) return;
    log.error('audit.damaged', { file: path, fault, goesOnFrom: head.sequence });
    this.#putAside();
    this.write('audit.damaged', { fault });
  }

  #append(event: AuditEvent['event'], fields: AuditEvent['fields']): void {
    const next = nextLine(this.#head, { timeMs: this.#options.clock.wallMs(), event, fields });
    this.#file.append(next.line);
    this.#head = next.head;
  }

  /** Where it cannot, the part grows: a line that is not written at all would be worse. */
  #turn(): void {
    try {
      // So that nothing behind the saved head is ever removed because it is old.
      this.saveHead();
      this.#putAside();
      this.#hasFailedToTurn = false;
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      if (!this.#hasFailedToTurn)
        this.#options.log.error('audit.not-turned', { file: this.#options.path, error });
      this.#hasFailedToTurn = true;
    }
  }

  #putAside(): void {
    const { maxPartBytes = 32 * mebibyte, maxBytes = 1024 * mebibyte } = this.#options;
    const removed = this.#file.turn(this.#head.sequence, Math.max(0, maxBytes - maxPartBytes));
    this.#removed.push(...removed.map((path) => basename(path)));
  }
}

/** A head that cannot be read is as good as none, but it is said. */
function loadHead({ heads, log, path }: AuditTrailOptions): AuditHead | undefined {
  try {
    return heads.load();
  } catch (error) {
    if (!isServiceManagerError(error) || error.code !== 'BAD_CONFIG') throw error;
    log.error('audit.head-unreadable', { file: path, error });
    return undefined;
  }
}
