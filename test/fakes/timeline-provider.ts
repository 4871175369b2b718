import type { Clock } from '../../src/platform/clock.ts';
import type { ProcessExit } from '../../src/platform/processes.ts';
import type { Inspection, Provider, ProviderResult } from '../../src/provider/provider.ts';
import type { State } from '../../src/wire/fields.ts';
import type { MemoryProcessTable } from './memory-process-table.ts';

/** `[300, 'running', 12]`: from 300 ms after the end of the action on, with the main process 12. */
export type Moment = readonly [afterMs: number, state: State, pid?: number];

export interface Timeline {
  readonly before: Moment[1] | readonly [state: State, pid: number];
  readonly after: readonly Moment[];
  readonly exit?: Partial<ProcessExit>;
  /** How long the action takes. */
  readonly actionMs?: number;
}

const nothing = { text: '', cutBytes: 0 };
const done: ProviderResult = {
  ...{ exitCode: 0, timedOut: false, aborted: false, stdout: nothing, stderr: nothing, durationMs: 0 },
  ...{ provider: 'service(8)', state: 'unknown' },
};

/** A service that becomes what the test writes down, as time passes. */
export class TimelineProvider implements Provider {
  /** `run`, and `look` with the time of each. */
  readonly log: string[] = [];
  readonly #clock: Clock;
  readonly #table: MemoryProcessTable;
  readonly #timeline: Timeline;
  #endedMs: number | undefined;

  constructor(timeline: Timeline, clock: Clock, table: MemoryProcessTable) {
    this.#timeline = timeline;
    this.#clock = clock;
    this.#table = table;
    const pids = [timeline.before, ...timeline.after].map((moment) => moment.at(-1));
    for (const pid of pids) if (typeof pid === 'number') table.starts(pid);
  }

  async run(): Promise<ProviderResult> {
    const { actionMs = 0, exit } = this.#timeline;
    this.log.push(`run at ${this.#clock.now()}`);
    if (actionMs > 0)
      await new Promise<void>((resolve) => this.#clock.after(actionMs, 'action', () => resolve()));
    this.#endedMs = this.#clock.now();
    return { ...done, ...exit };
  }

  async inspect(): Promise<Inspection> {
    this.log.push(`look at ${this.#clock.now()}`);
    const { before } = this.#timeline;
    if (this.#endedMs === undefined) {
      return typeof before === 'string'
        ? { state: before, mainPid: undefined }
        : { state: before[0], mainPid: before[1] };
    }
    return this.#inspectionAt(this.#clock.now() - this.#endedMs);
  }

  /** A process that is not the main one any more is dead. */
  #inspectionAt(afterMs: number): Inspection {
    const [, state = 'unknown', mainPid] = this.#timeline.after.findLast(([at]) => at <= afterMs) ?? [];
    const { before } = this.#timeline;
    if (typeof before !== 'string' && mainPid !== before[1]) this.#table.ends(before[1]);
    return { state, mainPid };
  }
}
