import { type Clock, sleep } from '../platform/clock.ts';
import type { Probe, ProbeLimits, ProbeResult } from '../platform/probe.ts';
import type { Processes } from '../platform/processes.ts';
import { isServiceManagerError } from '../wire/errors.ts';
import type { Health } from '../wire/result.ts';

export interface HealthChecksOptions {
  readonly clock: Clock;
  readonly probe: Probe;
  readonly processes: Processes;
  /** Program and arguments of each `exec:NAME`, from the configuration of this agent. */
  readonly programs: ReadonlyMap<string, readonly string[]>;
}

export interface HealthLimits {
  /** When no time is left, by the clock. */
  readonly endsMs: number;
  /** When aborted, nobody waits for it to become healthy any more. */
  readonly signal: AbortSignal;
}

type Attempt = (limits: ProbeLimits) => Promise<ProbeResult>;

/** A check that hangs ends here, and is tried again. */
const attemptLimitMs = 5_000;
const firstPauseMs = 100;
const longestPauseMs = 1_000;
const killAfterMs = 1_000;
const outputLimitBytes = 1_024;

/** Looks from inside whether a service does its work: `tcp:PORT`, `http:PORT/PATH` or `exec:NAME`. */
export class HealthChecks {
  readonly #options: HealthChecksOptions;
  #programs: HealthChecksOptions['programs'];

  constructor(options: HealthChecksOptions) {
    this.#options = options;
    this.#programs = options.programs;
  }

  /** Other programs from now on. */
  replace(programs: HealthChecksOptions['programs']): void {
    this.#programs = programs;
  }

  /** Why this node cannot do the check; undefined when it can. */
  refusal(check: string): string | undefined {
    if (this.#attemptOf(check) !== undefined) return undefined;
    const [kind, name] = partsOf(check);
    if (kind !== 'exec') return `health check "${check}" names no port from 1 to 65535`;
    const known = [...this.#programs.keys()].join(', ');
    const expected = known === '' ? 'and this node has none' : `expected one of ${known}`;
    return `health check "${name}" is not in the configuration of this node, ${expected}`;
  }

  /** Tries until it is healthy, with growing pauses, for as long as there is time. */
  async check(check: string, limits: HealthLimits): Promise<Health> {
    const { clock } = this.#options;
    const attempt = this.#attemptOf(check);
    let last: ProbeResult = { isHealthy: false, detail: this.refusal(check) ?? 'no time was left for it' };
    let attempts = 0;
    for (let pauseMs = firstPauseMs; attempt !== undefined; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      const remainingMs = limits.endsMs - clock.now();
      if (remainingMs <= 0 || limits.signal.aborted) break;
      const timeoutMs = Math.ceil(Math.min(attemptLimitMs, remainingMs));
      last = await unlessAborted(attempt({ timeoutMs, signal: limits.signal }), limits.signal);
      attempts += 1;
      if (last.isHealthy) break;
      await sleep(clock, Math.min(pauseMs, Math.max(0, limits.endsMs - clock.now())), limits.signal);
    }
    return { check, ...last, attempts };
  }

  /** Undefined when this node cannot do it. */
  #attemptOf(check: string): Attempt | undefined {
    const { probe } = this.#options;
    const [kind, rest] = partsOf(check);
    if (kind === 'exec') {
      const program = this.#programs.get(rest);
      return program === undefined ? undefined : (limits) => this.#execute(program, limits);
    }
    const port = Number.parseInt(rest, 10);
    if (port < 1 || port > 65_535) return undefined;
    if (kind === 'tcp') return (limits) => probe.tcp(port, limits);
    return (limits) => probe.http(port, rest.slice(rest.indexOf('/')), limits);
  }

  async #execute([file = '', ...args]: readonly string[], limits: ProbeLimits): Promise<ProbeResult> {
    try {
      const exit = await this.#options.processes.run(file, args, {
        ...limits,
        killAfterMs,
        outputLimitBytes,
      });
      const ending = exit.timedOut
        ? `no end within ${limits.timeoutMs / 1_000} s`
        : `exit code ${exit.exitCode}`;
      const said = `${exit.stdout.text}\n${exit.stderr.text}`.split('\n').find((line) => line.trim() !== '');
      const detail = said === undefined ? ending : `${ending}: ${said.trim()}`;
      return { isHealthy: exit.exitCode === 0 && !exit.timedOut && !exit.aborted, detail };
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      return { isHealthy: false, detail: error.message };
    }
  }
}

/** A program may take a second to end, which an agent that stops does not have: the action that it checks has ended. */
async function unlessAborted(attempt: Promise<ProbeResult>, signal: AbortSignal): Promise<ProbeResult> {
  let release = (): void => {};
  const aborted = new Promise<ProbeResult>((resolve) => {
    const giveUp = (): void => resolve({ isHealthy: false, detail: 'cancelled' });
    signal.addEventListener('abort', giveUp, { once: true });
    release = () => signal.removeEventListener('abort', giveUp);
  });
  try {
    return await Promise.race([attempt, aborted]);
  } finally {
    release();
  }
}

/** `http:80/up` -> `http` and `80/up`. */
function partsOf(check: string): [kind: string, rest: string] {
  const colon = check.indexOf(':');
  return [check.slice(0, colon), check.slice(colon + 1)];
}
