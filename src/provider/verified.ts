import { type Clock, sleep } from '../platform/clock.ts';
import type { LiveProcess, ProcessTable } from '../platform/process-table.ts';
import { isServiceManagerError } from '../wire/errors.ts';
import type { ActionName, ServiceName } from '../wire/fields.ts';
import type { Verification } from '../wire/result.ts';
import { expectationOf, isLookedAt } from './expectation.ts';
import type { ActionLimits, Inspection, Provider, ProviderResult, ReadLimits } from './provider.ts';
import { Settling, type Sight, type Verdict } from './settling.ts';

export interface VerifiedProviderOptions {
  readonly provider: Provider;
  readonly clock: Clock;
  readonly processTable: ProcessTable;
  /** For actions that don't say it themselves. */
  readonly settleMs: number;
}

/** What one action has for all of its looks. */
interface Eye {
  readonly service: ServiceName;
  readonly limits: ActionLimits;
  readonly interrupted: AbortSignal;
  /** Resolves when that is aborted. */
  readonly interruption: Promise<Inspection>;
}

interface Looking extends Eye {
  readonly settleMs: number;
  readonly before: Sight;
  /** When no time is left. */
  readonly endsMs: number;
}

/** With this, what says it went well but does not run is known within the default window of the client. */
const leastArrivalMs = 4_000;
/** A status that hangs must not eat up the time of the action. */
const lookLimitMs = 5_000;
/** For a status that is ended at its time limit to die of TERM. One that does not is not waited for. */
const dyingMs = 2_000;
const firstPauseMs = 50;
const longestPauseMs = 500;

/**
 * Looks at a service before and after an action, and says whether the action made it what it should be and it stays so
 * for `settleMs`: `Settling` has the rules. It may take twice `settleMs`, and 4 s at least, to become so; the time
 * limit of the action, counted from when it begins, bounds all of it (the look before adds what the status takes, 5 s at
 * most). With `settleMs` 0 nothing is looked at.
 * Of an action that failed, the result only gets the state that the service is left in.
 */
export class VerifiedProvider implements Provider {
  readonly #options: VerifiedProviderOptions;

  constructor(options: VerifiedProviderOptions) {
    this.#options = options;
  }

  inspect(service: ServiceName, limits: ReadLimits): Promise<Inspection> {
    return this.#options.provider.inspect(service, limits);
  }

  async run(service: ServiceName, action: ActionName, limits: ActionLimits): Promise<ProviderResult> {
    const { provider, clock } = this.#options;
    const settleMs = limits.settleMs ?? this.#options.settleMs;
    if (settleMs === 0 || !isLookedAt(action)) return provider.run(service, action, limits);
    const eye = eyeOf(service, limits);
    const before = await this.#look(eye, limits.timeoutMs);
    const endsMs = clock.now() + limits.timeoutMs;
    const result = await provider.run(service, action, limits);
    const looking = { ...eye, settleMs, before, endsMs };
    return result.exitCode === 0 && !result.timedOut && !result.aborted
      ? this.#verified(action, result, looking)
      : this.#withState(result, looking);
  }

  async #withState(result: ProviderResult, looking: Looking): Promise<ProviderResult> {
    if (result.aborted || result.state !== 'unknown' || this.#remainingMs(looking) <= 0) return result;
    const { state } = await this.#lookAgain(looking);
    return { ...result, state };
  }

  async #verified(action: ActionName, result: ProviderResult, looking: Looking): Promise<ProviderResult> {
    const { before, settleMs } = looking;
    const expectation = expectationOf(action, before.state);
    if (expectation === undefined) {
      const sight = await this.#lookAgain(looking);
      const reason = 'the service could not say whether it was running before';
      const verdict = { isVerified: false, reason };
      return { ...result, state: sight.state, verification: verificationOf(looking, sight, verdict, 0) };
    }
    const nowMs = this.#options.clock.now();
    const arrivalMs = Math.max(leastArrivalMs, 2 * settleMs);
    const settling = new Settling({ expectation, before, settleMs, arrivalMs, nowMs });
    const [sight, verdict] = await this.#watch(settling, looking);
    const verification = verificationOf(looking, sight, verdict, settling.changes);
    return { ...result, state: sight.state, verification };
  }

  async #watch(settling: Settling, looking: Looking): Promise<readonly [Sight, Verdict]> {
    const { clock } = this.#options;
    let last = unseen;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      const sight = await this.#lookAgain(looking);
      const interruption = interruptionOf(looking.limits);
      if (interruption !== undefined) return [last, settling.end(interruption)];
      last = sight;
      const verdict = settling.see(sight, clock.now());
      if (verdict !== undefined) return [sight, verdict];
      const remainingMs = this.#remainingMs(looking);
      if (remainingMs <= 0) return [sight, settling.end('the time limit was over')];
      const delayMs = Math.min(pauseMs, settling.nextMs - clock.now(), remainingMs);
      await sleep(clock, delayMs, looking.interrupted);
    }
  }

  #remainingMs({ endsMs }: Looking): number {
    return endsMs - this.#options.clock.now();
  }

  #lookAgain(looking: Looking): Promise<Sight> {
    return this.#look(looking, Math.max(1, this.#remainingMs(looking)), looking.before.main);
  }

  async #look(eye: Eye, mostMs: number, old?: LiveProcess): Promise<Sight> {
    const { service, interrupted: signal, interruption } = eye;
    const timeoutMs = Math.min(mostMs, lookLimitMs);
    const inspection = this.#inspect(service, { timeoutMs, signal });
    const { mainPid, ...seen } = await this.#within(timeoutMs + dyingMs, [inspection, interruption]);
    const found = this.#find(old?.pid);
    const isOldAlive = found !== undefined && found.born === old?.born;
    return { ...seen, main: this.#find(mainPid), isOldAlive };
  }

  async #within(timeMs: number, looks: readonly Promise<Inspection>[]): Promise<Inspection> {
    const timer = new AbortController();
    const late = sleep(this.#options.clock, timeMs, timer.signal).then(() => nothing);
    try {
      return await Promise.race([...looks, late]);
    } finally {
      timer.abort();
    }
  }

  async #inspect(service: ServiceName, limits: ReadLimits): Promise<Inspection> {
    try {
      return await this.#options.provider.inspect(service, limits);
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      return nothing;
    }
  }

  #find(pid: number | undefined): LiveProcess | undefined {
    return pid === undefined ? undefined : this.#options.processTable.find(pid);
  }
}

const nothing: Inspection = { state: 'unknown', mainPid: undefined };
const unseen: Sight = { state: 'unknown', main: undefined, isOldAlive: false };

function eyeOf(service: ServiceName, limits: ActionLimits): Eye {
  const signals = [limits.signal, limits.conclude].filter((each) => each !== undefined);
  const interrupted = AbortSignal.any(signals);
  return { service, limits, interrupted, interruption: whenAborted(interrupted) };
}

function interruptionOf({ signal, conclude }: ActionLimits): string | undefined {
  if (signal?.aborted) return 'the request was cancelled';
  return conclude?.aborted ? 'the agent was stopped' : undefined;
}

function whenAborted(signal: AbortSignal): Promise<Inspection> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(nothing);
    signal.addEventListener('abort', () => resolve(nothing), { once: true });
  });
}

function verificationOf(looking: Looking, after: Sight, verdict: Verdict, changes: number): Verification {
  const { before, settleMs } = looking;
  return {
    ...verdict,
    before: before.state,
    after: after.state,
    ...(before.main === undefined ? {} : { pidBefore: before.main.pid }),
    ...(after.main === undefined ? {} : { pidAfter: after.main.pid }),
    changes,
    settleMs,
  };
}
