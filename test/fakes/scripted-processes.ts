import type { Cancel, Clock } from '../../src/platform/clock.ts';
import { decodeBeginning } from '../../src/platform/node/output-file.ts';
import type { CapturedOutput, ProcessExit, Processes, RunOptions } from '../../src/platform/processes.ts';
import { ServiceManagerError } from '../../src/wire/errors.ts';

/** What is not said is a success without output. */
export interface ScriptedExit {
  readonly exitCode?: number;
  readonly timedOut?: boolean;
  readonly aborted?: boolean;
  readonly stdout?: string | CapturedOutput;
  readonly stderr?: string | CapturedOutput;
  readonly durationMs?: number;
}

export type ScriptedAnswer =
  | ScriptedExit
  | Promise<ScriptedExit>
  | ((command: string) => ScriptedExit | Promise<ScriptedExit>);

interface HeldRun {
  readonly command: string;
  end: (answer: ScriptedAnswer) => void;
}

const timedOut: ScriptedExit = { exitCode: -15, timedOut: true };
const aborted: ScriptedExit = { exitCode: -15, aborted: true };

/** Processes as a test writes them down, by command line: `{ 'service nginx restart': { exitCode: 1 } }`. */
export class ScriptedProcesses implements Processes {
  /** The command lines that were run, in order. */
  readonly runs: string[] = [];
  readonly #script: Map<string, ScriptedAnswer>;
  readonly #clock: Clock | undefined;
  readonly #holds = new Set<string>();
  readonly #heldRuns = new Set<HeldRun>();

  /** With a clock a run ends at its `timeoutMs` as a process does that dies of TERM; without one it may take for ever. */
  constructor(script: Readonly<Record<string, ScriptedAnswer>> = {}, clock?: Clock) {
    this.#script = new Map(Object.entries(script));
    this.#clock = clock;
  }

  /** Command lines of the runs that wait for `release`. */
  get held(): string[] {
    return [...this.#heldRuns].map((run) => run.command);
  }

  /** From now on says this for the command. */
  answer(command: string, answer: ScriptedAnswer): void {
    this.#script.set(command, answer);
  }

  /** From now on each run of the command waits for its `release`, which is returned, too. */
  hold(command: string): (answer?: ScriptedAnswer) => void {
    this.#holds.add(command);
    return (answer) => this.release(command, answer);
  }

  /** Ends the oldest held run of the command: with this answer, or else with the script's. */
  release(command: string, answer?: ScriptedAnswer): void {
    const run = [...this.#heldRuns].find((each) => each.command === command);
    if (run === undefined) throw new Error(`no run of '${command}' is held`);
    this.#heldRuns.delete(run);
    run.end(answer ?? this.#script.get(command) ?? {});
  }

  async run(file: string, args: readonly string[], options: RunOptions): Promise<ProcessExit> {
    const command = [file, ...args].join(' ');
    const startedMs = this.#clock?.now() ?? 0;
    const exit = options.signal?.aborted ? aborted : await this.#start(command, options);
    return {
      exitCode: exit.exitCode ?? 0,
      timedOut: exit.timedOut ?? false,
      aborted: exit.aborted ?? false,
      stdout: captured(exit.stdout, options.outputLimitBytes),
      stderr: captured(exit.stderr, options.outputLimitBytes),
      durationMs: exit.durationMs ?? (this.#clock?.now() ?? 0) - startedMs,
    };
  }

  async #start(command: string, { timeoutMs, signal }: RunOptions): Promise<ScriptedExit> {
    this.runs.push(command);
    const run: HeldRun = { command, end: () => {} };
    const cleanUps: (Cancel | undefined)[] = [() => this.#heldRuns.delete(run)];
    const ended = new Promise<ScriptedExit>((resolve) => {
      const abort = () => resolve(aborted);
      signal?.addEventListener('abort', abort);
      cleanUps.push(() => signal?.removeEventListener('abort', abort));
      cleanUps.push(this.#clock?.after(timeoutMs, `timeout of ${command}`, () => resolve(timedOut)));
    });
    try {
      return await Promise.race([this.#ends(run), ended]);
    } finally {
      for (const cleanUp of cleanUps) cleanUp?.();
    }
  }

  async #ends(run: HeldRun): Promise<ScriptedExit> {
    const { command } = run;
    const answer = this.#holds.has(command) ? await this.#released(run) : this.#script.get(command);
    if (answer === undefined) {
      throw new ServiceManagerError('PROVIDER_FAILED', `the script has no '${command}'`);
    }
    return typeof answer === 'function' ? answer(command) : answer;
  }

  #released(run: HeldRun): Promise<ScriptedAnswer> {
    this.#heldRuns.add(run);
    return new Promise((resolve) => {
      run.end = resolve;
    });
  }
}

function captured(output: string | CapturedOutput = '', limitBytes: number): CapturedOutput {
  if (typeof output !== 'string') return output;
  const bytes = Buffer.from(output);
  const cutBytes = Math.max(0, bytes.length - limitBytes);
  return { text: decodeBeginning(bytes.subarray(0, limitBytes), cutBytes > 0), cutBytes };
}
