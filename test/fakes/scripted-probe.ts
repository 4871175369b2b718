import type { Clock } from '../../src/platform/clock.ts';
import type { Probe, ProbeLimits, ProbeResult } from '../../src/platform/probe.ts';

/** `refuses`: nobody listens. `hangs`: it takes the connection and says nothing. A number: the HTTP status. */
export type ScriptedPort = 'refuses' | 'hangs' | 'listens' | number;

/** The ports of a host as a test writes them down; nobody listens at the others. */
export class ScriptedProbe implements Probe {
  /** Every attempt, in order: `tcp 80`, `http 80 /up`. */
  readonly attempts: string[] = [];
  readonly #clock: Clock;
  readonly #ports = new Map<number, ScriptedPort>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on this is what is met with at the port. */
  set(port: number, what: ScriptedPort): void {
    this.#ports.set(port, what);
  }

  async tcp(port: number): Promise<ProbeResult> {
    this.attempts.push(`tcp ${port}`);
    return this.#at(port) === 'refuses'
      ? { isHealthy: false, detail: `connect ECONNREFUSED 127.0.0.1:${port}` }
      : { isHealthy: true, detail: `127.0.0.1:${port} takes connections` };
  }

  async http(port: number, path: string, limits: ProbeLimits): Promise<ProbeResult> {
    this.attempts.push(`http ${port} ${path}`);
    const what = this.#at(port);
    if (what === 'refuses') return { isHealthy: false, detail: `connect ECONNREFUSED 127.0.0.1:${port}` };
    if (typeof what === 'string') return this.#nothing(limits);
    return { isHealthy: what >= 200 && what < 400, detail: `HTTP ${what}` };
  }

  #at(port: number): ScriptedPort {
    return this.#ports.get(port) ?? 'refuses';
  }

  #nothing({ timeoutMs, signal }: ProbeLimits): Promise<ProbeResult> {
    return new Promise((resolve) => {
      const end = (detail: string) => {
        cancel();
        resolve({ isHealthy: false, detail });
      };
      const cancel = this.#clock.after(timeoutMs, 'probe', () =>
        end(`no answer within ${timeoutMs / 1_000} s`),
      );
      signal?.addEventListener('abort', () => end('cancelled'), { once: true });
      if (signal?.aborted) end('cancelled');
    });
  }
}
