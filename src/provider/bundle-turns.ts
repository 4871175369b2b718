import { outcomeOfResult } from '../core/outcome.ts';
import type { Clock } from '../platform/clock.ts';
import type { CapturedOutput } from '../platform/processes.ts';
import { isServiceManagerError } from '../wire/errors.ts';
import type { ActionName, ServiceName, State } from '../wire/fields.ts';
import type { MemberResult } from '../wire/result.ts';
import type { Bundle } from './bundle.ts';
import { untried } from './bundle-member.ts';
import { cutTo, JoinedOutput, textOf } from './output.ts';
import type { ActionLimits, Inspection, Provider, ProviderResult } from './provider.ts';
import { TimeLeft } from './time-left.ts';

export interface BundleTurnsOptions {
  readonly provider: Provider;
  readonly clock: Clock;
  readonly bundle: Bundle;
  /** What the bundle was asked to do. */
  readonly action: ActionName;
  readonly limits: ActionLimits;
  /** Of each stream, of all members together. */
  readonly outputLimitBytes: number;
}

/**
 * What all members of the largest bundle may say in an answer beside the joined outputs, which have room for every
 * byte escaped: with that it stays under `maxResultBytes`.
 */
const memberOutputBytes = 96 * 1_024;
/** A status that hangs must not eat up the time of the action. */
const lookLimitMs = 5_000;
/** Each may have a second turn in a roll-back, and has two streams. */
const streamsOfMember = 4;

/** The turns of the members in one action on a bundle, one after the other, within its limits. */
export class BundleTurns {
  readonly #options: BundleTurnsOptions;
  readonly #startedMs: number;
  readonly #stdout: JoinedOutput;
  readonly #stderr: JoinedOutput;
  readonly #memberLimitBytes: number;
  #left: TimeLeft;
  #timedOut = false;
  #aborted = false;

  constructor(options: BundleTurnsOptions) {
    const { clock, limits, outputLimitBytes, bundle } = options;
    this.#options = options;
    this.#startedMs = clock.now();
    this.#left = new TimeLeft(clock, limits.timeoutMs);
    this.#stdout = new JoinedOutput(outputLimitBytes);
    this.#stderr = new JoinedOutput(outputLimitBytes);
    this.#memberLimitBytes = Math.floor(memberOutputBytes / streamsOfMember / bundle.services.length);
  }

  get isAborted(): boolean {
    return this.#aborted;
  }

  /** A member did not get its turn, or was ended in it, because the action was cancelled or its time was over. */
  get isOver(): boolean {
    return this.#aborted || this.#timedOut;
  }

  /** What the result of the whole has of the turns so far. */
  get whole(): Pick<ProviderResult, 'timedOut' | 'aborted' | 'stdout' | 'stderr' | 'durationMs'> {
    return {
      timedOut: this.#timedOut,
      aborted: this.#aborted,
      stdout: this.#stdout.captured,
      stderr: this.#stderr.captured,
      durationMs: this.#options.clock.now() - this.#startedMs,
    };
  }

  /** Members must not be left as they are because the time was used up: what puts them back has the limit for itself. */
  beginAgain(): void {
    this.#left = new TimeLeft(this.#options.clock, this.#options.limits.timeoutMs);
  }

  /** Has the member do it: `cancelled` without a try when the action was cancelled or its time is over. */
  async act(service: ServiceName, action: ActionName, note = ''): Promise<MemberResult> {
    if (!this.#mayGoOn()) return untried(service, action);
    const leftMs = this.#left.ms;
    const limitMs = Math.min(leftMs, this.#ownLimitMsOf(service));
    const exit = await this.#run(service, action, limitMs);
    if (exit.timedOut && limitMs === leftMs) this.#timedOut = true;
    if (exit.aborted) this.#aborted = true;
    const does = action === this.#options.action ? service : `${service} ${action}`;
    this.#stdout.add(does + note, exit.stdout);
    this.#stderr.add(does + note, exit.stderr);
    return this.#memberResult(service, action, exit);
  }

  /** What it is; `unknown` also when there is no time to look. */
  async stateOf(service: ServiceName): Promise<State> {
    return (await this.#inspect(service))?.state ?? 'unknown';
  }

  #mayGoOn(): boolean {
    const isAborted = this.#options.limits.signal?.aborted === true;
    const isOver = this.#left.ms === 0;
    if (isAborted) this.#aborted = true;
    else if (isOver) this.#timedOut = true;
    return !isAborted && !isOver;
  }

  #ownLimitMsOf(service: ServiceName): number {
    const { timeoutsMs, timeoutMs } = this.#options.bundle;
    return timeoutsMs.get(service) ?? timeoutMs ?? Number.POSITIVE_INFINITY;
  }

  async #run(service: ServiceName, action: ActionName, timeoutMs: number): Promise<ProviderResult> {
    const { provider, limits, clock } = this.#options;
    const startedMs = clock.now();
    try {
      return await provider.run(service, action, { ...limits, timeoutMs });
    } catch (error) {
      // The others must still have their turn, or be rolled back.
      if (!isServiceManagerError(error) || error.code !== 'PROVIDER_FAILED') throw error;
      return notRun(error.message, clock.now() - startedMs);
    }
  }

  async #inspect(service: ServiceName): Promise<Inspection | undefined> {
    if (!this.#mayGoOn()) return undefined;
    const { provider, limits } = this.#options;
    const { signal } = limits;
    try {
      const timeoutMs = Math.min(this.#left.ms, this.#ownLimitMsOf(service), lookLimitMs);
      // Who watches the action does not want to see how we look.
      return await provider.inspect(service, { timeoutMs, ...(signal === undefined ? {} : { signal }) });
    } catch (error) {
      if (!isServiceManagerError(error) || error.code !== 'PROVIDER_FAILED') throw error;
      return undefined;
    }
  }

  #memberResult(service: ServiceName, action: ActionName, exit: ProviderResult): MemberResult {
    const { state, ranAs, verification } = exit;
    const result = {
      returncode: exit.exitCode,
      ...(exit.timedOut ? { timedOut: true } : {}),
      ...(verification === undefined ? {} : { verification }),
    };
    return {
      ...{ service, action, outcome: exit.aborted ? 'cancelled' : outcomeOfResult(result), state },
      stdout: this.#cut(exit.stdout),
      stderr: this.#cut(exit.stderr),
      durationMs: Math.round(exit.durationMs),
      ...(ranAs === undefined ? {} : { ranAs }),
      ...result,
    };
  }

  #cut(output: CapturedOutput): string {
    return textOf(cutTo(this.#memberLimitBytes, output));
  }
}

const nothing: CapturedOutput = { text: '', cutBytes: 0 };

/** As sysexits.h has it for trouble with the system: EX_OSERR. */
const notRunCode = 71;

function notRun(reason: string, durationMs: number): ProviderResult {
  const stderr = { text: `${reason}\n`, cutBytes: 0 };
  const exit = { exitCode: notRunCode, timedOut: false, aborted: false, stdout: nothing, stderr, durationMs };
  return { ...exit, provider: '', state: 'unknown' };
}
