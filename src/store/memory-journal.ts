import type { RequestId } from '../wire/fields.ts';
import type { Journal, JournalBounds, JournalEntry, Undelivered } from './journal.ts';

interface Kept {
  entry: JournalEntry;
  readonly owed: Set<string>;
}

/** The journal without a file. It outlives an agent only when the next one is given it. */
export class MemoryJournal implements Journal {
  /** In the order in which they came. */
  readonly #kept: Map<RequestId, Kept>;
  readonly #startedNow = new Set<RequestId>();

  constructor(earlierRun?: MemoryJournal) {
    this.#kept = earlierRun === undefined ? new Map() : earlierRun.#kept;
  }

  find(id: RequestId): JournalEntry | undefined {
    return this.#kept.get(id)?.entry;
  }

  start({ id, service, action, atWallMs }: Parameters<Journal['start']>[0]): boolean {
    if (this.#kept.has(id)) return false;
    this.#keep({ id, state: 'started', payload: undefined, service, action, atWallMs });
    this.#startedNow.add(id);
    return true;
  }

  finish(id: RequestId, payload: Buffer, managers: readonly string[], atWallMs: number): void {
    const { service, action, state } = this.find(id) ?? { service: '', action: '', state: undefined };
    if (state !== 'done') this.#keep({ id, state: 'done', payload, service, action, atWallMs });
    this.#startedNow.delete(id);
    for (const manager of managers) this.owe(id, manager);
  }

  cancel(id: RequestId, atWallMs: number): void {
    if (this.#kept.has(id)) return;
    this.#keep({ id, state: 'cancelled', payload: undefined, service: '', action: '', atWallMs });
  }

  interrupted(): JournalEntry[] {
    return [...this.#kept.values()]
      .map(({ entry }) => entry)
      .filter(({ id, state }) => state === 'started' && !this.#startedNow.has(id));
  }

  owe(id: RequestId, manager: string): void {
    const kept = this.#kept.get(id);
    if (kept?.entry.state === 'done') kept.owed.add(manager);
  }

  delivered(id: RequestId, manager: string): void {
    this.#kept.get(id)?.owed.delete(manager);
  }

  undelivered(): Undelivered[] {
    return this.#oldestFirst().flatMap(({ entry: { id, payload, atWallMs }, owed }) =>
      payload === undefined ? [] : [...owed].sort().map((manager) => ({ id, payload, manager, atWallMs })),
    );
  }

  prune({ maxAgeMs, maxEntries }: JournalBounds, nowWallMs: number): number {
    const before = this.#kept.size;
    const finished = this.#oldestFirst().flatMap(({ entry }) => (entry.state === 'started' ? [] : [entry]));
    const isOld = ({ atWallMs }: JournalEntry) => atWallMs < nowWallMs - maxAgeMs;
    for (const { id } of finished.filter(isOld)) this.#kept.delete(id);
    const left = finished.filter((entry) => !isOld(entry));
    const isCancelled = ({ state }: JournalEntry) => state === 'cancelled';
    const expendable = [...left.filter(isCancelled), ...left.filter((entry) => !isCancelled(entry))];
    for (const { id } of expendable.slice(0, Math.max(0, this.#kept.size - maxEntries)))
      this.#kept.delete(id);
    return before - this.#kept.size;
  }

  close(): void {}

  #keep(entry: JournalEntry): void {
    const kept = this.#kept.get(entry.id);
    if (kept === undefined) this.#kept.set(entry.id, { entry, owed: new Set() });
    else kept.entry = entry;
  }

  #oldestFirst(): Kept[] {
    return [...this.#kept.values()].sort((one, other) => one.entry.atWallMs - other.entry.atWallMs);
  }
}
