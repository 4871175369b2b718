import type { LiveProcess } from '../platform/process-table.ts';
import type { State } from '../wire/fields.ts';
import type { Expectation } from './expectation.ts';

/** What a service was seen to be. */
export interface Sight {
  readonly state: State;
  /** Undefined where it is not known. */
  readonly main: LiveProcess | undefined;
  /** The main process from before the action still lives. */
  readonly isOldAlive: boolean;
  /** It has ended because its work is done: it is as good as one that runs. */
  readonly hasDoneItsWork?: boolean;
}

export interface SettlingOptions {
  readonly expectation: Expectation;
  /** As it was right before the action. */
  readonly before: Sight;
  /** So long it must stay what it should be. */
  readonly settleMs: number;
  /** So long after the action it may take to become that. */
  readonly arrivalMs: number;
  /** When the action ended. */
  readonly nowMs: number;
}

export interface Verdict {
  readonly isVerified: boolean;
  /** Why not. */
  readonly reason?: string;
}

/** A supervisor that restarts it once, or a daemon that forks once more, is no reason to complain. */
const toleratedRelapses = 1;

/**
 * Decides, look by look, whether a service is what an action should have made it.
 *
 * - It has `arrivalMs` to become so, and must then stay so for `settleMs`, with one main process.
 * - Once, it may relapse: cease to be so, or change its main process. Then it has `settleMs` to be so again, and must
 *   stay so for `settleMs` again. A second relapse decides at once: it does not stay so.
 * - A service that could not say what it is before the action and cannot after it is not waited for.
 */
export class Settling {
  readonly #options: SettlingOptions;
  #last: Sight | undefined;
  #lastMain: LiveProcess | undefined;
  #wantedSinceMs: number | undefined;
  #waitsUntilMs: number;
  #relapses = 0;
  #changes = 0;

  constructor(options: SettlingOptions) {
    this.#options = options;
    this.#waitsUntilMs = options.nowMs + options.arrivalMs;
  }

  get changes(): number {
    return this.#changes;
  }

  /** When the next look may decide something, should nothing change. */
  get nextMs(): number {
    const { settleMs } = this.#options;
    return this.#wantedSinceMs === undefined ? this.#waitsUntilMs : this.#wantedSinceMs + settleMs;
  }

  /** Undefined while it is not decided. */
  see(sight: Sight, nowMs: number): Verdict | undefined {
    const isOtherProcess = isOther(this.#lastMain, sight.main);
    if (this.#last !== undefined && (this.#last.state !== sight.state || isOtherProcess)) this.#changes += 1;
    this.#last = sight;
    this.#lastMain = sight.main ?? this.#lastMain;
    this.#note(this.#isWanted(sight), isOtherProcess, nowMs);
    return this.#decide(sight, nowMs);
  }

  /** When no time is left, or nobody waits any more: `what` came first. */
  end(what: string): Verdict {
    const { settleMs, expectation } = this.#options;
    const isMissing = this.#last !== undefined && this.#wantedSinceMs === undefined;
    const trouble = isMissing ? `: ${this.#trouble(this.#last)}` : '';
    return unverified(
      `${what} before the service had been ${expectation.wants} for ${seconds(settleMs)}${trouble}`,
    );
  }

  #isWanted({ state, main, isOldAlive, hasDoneItsWork = false }: Sight): boolean {
    const { expectation, before } = this.#options;
    if (expectation.wants === 'running') {
      const isTheSame = expectation.isNewProcess && isSame(before.main, main);
      return hasDoneItsWork || (state === 'running' && !isTheSame);
    }
    if (isOldAlive || state === 'running') return false;
    // Where the host cannot tell the state, that its main process has gone tells it.
    return state !== 'unknown' || before.main !== undefined;
  }

  #note(isWanted: boolean, isOtherProcess: boolean, nowMs: number): void {
    const wasWanted = this.#wantedSinceMs !== undefined;
    if (wasWanted && (!isWanted || isOtherProcess)) {
      this.#relapses += 1;
      this.#waitsUntilMs = nowMs + this.#options.settleMs;
      this.#wantedSinceMs = undefined;
    }
    if (isWanted) this.#wantedSinceMs ??= nowMs;
  }

  #decide(sight: Sight, nowMs: number): Verdict | undefined {
    const { expectation, settleMs, nowMs: endedMs, before } = this.#options;
    if (this.#relapses > toleratedRelapses) {
      const since = seconds(nowMs - endedMs);
      return unverified(
        `the service does not stay ${expectation.wants}: ${this.#changes} changes in ${since}`,
      );
    }
    if (this.#wantedSinceMs !== undefined) {
      return nowMs >= this.#wantedSinceMs + settleMs ? { isVerified: true } : undefined;
    }
    const isSilent = before.state === 'unknown' && sight.state === 'unknown' && !sight.isOldAlive;
    return isSilent || nowMs >= this.#waitsUntilMs ? unverified(this.#trouble(sight)) : undefined;
  }

  /** Of a service that is not what it should be. */
  #trouble(sight: Sight | undefined): string {
    const { wants } = this.#options.expectation;
    if (sight === undefined || sight.state === 'unknown') return 'the service cannot say whether it runs';
    const was = this.#relapses > 0 ? `was ${wants}, but now it ` : '';
    if (sight.state !== 'running') {
      return wants === 'running'
        ? `the service ${was}is ${sight.state}`
        : `the main process ${this.#options.before.main?.pid} lives on`;
    }
    return wants === 'running'
      ? `the main process is the same as before: ${sight.main?.pid}`
      : `the service ${was}is running`;
  }
}

function unverified(reason: string): Verdict {
  return { isVerified: false, reason };
}

function isSame(one: LiveProcess | undefined, other: LiveProcess | undefined): boolean {
  return one !== undefined && other !== undefined && one.pid === other.pid && one.born === other.born;
}

/** Both are known, and they are two. */
function isOther(one: LiveProcess | undefined, other: LiveProcess | undefined): boolean {
  return one !== undefined && other !== undefined && !isSame(one, other);
}

function seconds(ms: number): string {
  return `${Number((ms / 1_000).toFixed(1))} s`;
}
