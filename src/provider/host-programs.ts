import type { ProcessExit, Processes } from '../platform/processes.ts';
import type { ActionLimits, ReadLimits } from './provider.ts';

export interface HostProgramsOptions {
  readonly processes: Processes;
  /** Of each output stream, for what is handed on. */
  readonly outputLimitBytes: number;
}

const killAfterMs = 5_000;

/** Asks the service manager of this host, by its programs. */
export class HostPrograms {
  readonly outputLimitBytes: number;
  readonly #processes: Processes;

  constructor({ processes, outputLimitBytes }: HostProgramsOptions) {
    this.#processes = processes;
    this.outputLimitBytes = outputLimitBytes;
  }

  /** Rejects with PROVIDER_FAILED when the program cannot be started. */
  run(
    program: string,
    args: readonly string[],
    { timeoutMs, signal }: ReadLimits,
    outputLimitBytes = this.outputLimitBytes,
  ): Promise<ProcessExit> {
    const options = { timeoutMs, killAfterMs, outputLimitBytes };
    return this.#processes.run(program, args, signal === undefined ? options : { ...options, signal });
  }

  /** As `run`, for what was asked for: who watches the action sees what the program prints as it comes. */
  act(program: string, args: readonly string[], limits: ActionLimits): Promise<ProcessExit> {
    const { timeoutMs, signal, onOutput } = limits;
    return this.#processes.run(program, args, {
      ...{ timeoutMs, killAfterMs, outputLimitBytes: this.outputLimitBytes },
      ...(signal === undefined ? {} : { signal }),
      ...(onOutput === undefined ? {} : { onOutput }),
    });
  }
}

/** What is left of a time limit after a program that ran within it. */
export function limitsAfter({ timeoutMs, signal }: ReadLimits, { durationMs }: ProcessExit): ReadLimits {
  const left = { timeoutMs: Math.max(1, timeoutMs - durationMs) };
  return signal === undefined ? left : { ...left, signal };
}

/** It was ended before it could say all that it had to say. */
export function wasEnded({ timedOut, aborted }: ProcessExit): boolean {
  return timedOut || aborted;
}
