import type { ProcessExit, Processes } from '../platform/processes.ts';
import { type ActionLimits, type ReadLimits, readLimits } from './provider.ts';

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

  /** Has an action done: whoever watches it gets what it prints. Rejects with PROVIDER_FAILED when it cannot be started. */
  act(
    program: string,
    args: readonly string[],
    { timeoutMs, signal, onOutput }: ActionLimits,
  ): Promise<ProcessExit> {
    const limits = readLimits(timeoutMs, signal);
    const watch = onOutput === undefined ? {} : { onOutput };
    const { outputLimitBytes } = this;
    return this.#processes.run(program, args, { ...limits, ...watch, killAfterMs, outputLimitBytes });
  }

  /** Asks for something, unseen. Rejects as `act` does. */
  look(
    program: string,
    args: readonly string[],
    { timeoutMs, signal }: ReadLimits,
    outputLimitBytes = this.outputLimitBytes,
  ): Promise<ProcessExit> {
    const limits = readLimits(timeoutMs, signal);
    return this.#processes.run(program, args, { ...limits, killAfterMs, outputLimitBytes });
  }
}

/** What is left of a time limit after a program that ran within it. */
export function limitsAfter({ timeoutMs, signal }: ReadLimits, { durationMs }: ProcessExit): ReadLimits {
  return readLimits(Math.max(1, timeoutMs - durationMs), signal);
}

/** It was ended before it could say all that it had to say. */
export function wasEnded({ timedOut, aborted }: ProcessExit): boolean {
  return timedOut || aborted;
}
