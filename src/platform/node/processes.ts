import { constants } from 'node:os';
import { ServiceManagerError } from '../../wire/errors.ts';
import type { CapturedOutput, ProcessExit, Processes, RunOptions } from '../processes.ts';
import type { Output } from './captured-output.ts';
import { LeftoverOutput } from './leftover-output.ts';
import { OutputFile } from './output-file.ts';
import { ProcessGroup } from './process-group.ts';
import type { PseudoTerminals } from './pseudo-terminal.ts';

export interface NodeProcessesOptions {
  /** Folder for the output of what runs, on a local disk. Made with mode 0700 when missing. */
  readonly scratchDir: string;
  /** How often the output of a running process is measured and cut back. Default 100. */
  readonly cutBackIntervalMs?: number;
  /** How often the output of what an action left running is emptied. Default 60,000. */
  readonly leftoverCheckMs?: number;
  /** Output files that may be kept open for that. Default 256. */
  readonly maxLeftovers?: number;
  /** For programs whose output is watched. */
  readonly pseudoTerminals?: PseudoTerminals | undefined;
}

/** Standard output and standard error, or a terminal that is both. */
type Outputs = readonly [stdout: Output, stderr?: Output];

const watchIntervalMs = 50;

const systemFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

const noTerminals =
  'no pseudo-terminals here (the optional package @lydell/node-pty is missing): output may come late';

const nothing: CapturedOutput = { text: '', cutBytes: 0 };

/** Of a run that was aborted before it began: the same to its caller as a process that died of TERM at once. */
const neverStarted: ProcessExit = {
  exitCode: -constants.signals.SIGTERM,
  timedOut: false,
  aborted: true,
  stdout: nothing,
  stderr: nothing,
  durationMs: 0,
};

/** Programs get their own session, an empty standard input, `/` as working folder and a small clean environment. */
export class NodeProcesses implements Processes {
  readonly #scratchDir: string;
  readonly #cutBackIntervalMs: number;
  readonly #pseudoTerminals: PseudoTerminals | undefined;
  readonly #environment = cleanEnvironment(process.env);
  readonly #leftovers: LeftoverOutput;
  readonly #running = new Set<ProcessGroup>();
  #isClosed = false;

  constructor(options: NodeProcessesOptions) {
    this.#scratchDir = options.scratchDir;
    this.#cutBackIntervalMs = options.cutBackIntervalMs ?? 100;
    this.#pseudoTerminals = options.pseudoTerminals;
    this.#leftovers = new LeftoverOutput(options.leftoverCheckMs ?? 60_000, options.maxLeftovers ?? 256);
  }

  async run(file: string, args: readonly string[], options: RunOptions): Promise<ProcessExit> {
    if (this.#isClosed) throw new ServiceManagerError('SHUTTING_DOWN', `${file} is not started any more`);
    if (options.signal?.aborted) return neverStarted;
    const startedMs = performance.now();
    const outputs = this.#openOutputs(file, options);
    const group = await this.#start(file, args, outputs);
    const cutBack = () => {
      for (const output of outputs) output?.cutBack();
    };
    const cutBackMs = options.onOutput === undefined ? this.#cutBackIntervalMs : watchIntervalMs;
    const cuttingBack = setInterval(cutBack, cutBackMs);
    this.#running.add(group);
    if (this.#isClosed) group.giveUp();
    try {
      const reason = await group.ends(options);
      if (group.isGivenUp) throw new ServiceManagerError('INTERRUPTED', `${file} goes on without us`);
      const durationMs = Math.round(performance.now() - startedMs);
      for (const output of outputs) await output?.settle();
      const [stdout, stderr] = outputs;
      return {
        // Without an exit code it has not even died of KILL yet, which is all that is left to say.
        exitCode: group.exitCode ?? -constants.signals.SIGKILL,
        timedOut: reason === 'timeout',
        aborted: reason === 'abort',
        stdout: stdout.read(),
        stderr: stderr?.read() ?? nothing,
        durationMs,
      };
    } finally {
      this.#running.delete(group);
      clearInterval(cuttingBack);
      this.#leave(outputs, group);
    }
  }

  /** Kills nothing: what runs lives on, and its `run` rejects with INTERRUPTED. Twice is harmless. */
  close(): void {
    this.#isClosed = true;
    this.#leftovers.close();
    for (const group of this.#running) group.giveUp();
  }

  #openOutputs(file: string, options: RunOptions): Outputs {
    try {
      return this.#openTerminal(options) ?? this.#openFiles(options);
    } catch (error) {
      throw cannotStart(file, error);
    }
  }

  /** Undefined when nobody watches, or there is no terminal to be had: then files do. */
  #openTerminal({ onOutput, outputLimitBytes }: RunOptions): Outputs | undefined {
    if (onOutput === undefined) return undefined;
    if (this.#pseudoTerminals === undefined) {
      onOutput(`${noTerminals}\n`, 'note');
      return undefined;
    }
    try {
      return [this.#pseudoTerminals.open(outputLimitBytes, (text) => onOutput(text, 'stdout'))];
    } catch (error) {
      onOutput(`no pseudo-terminal: ${reasonOf(error)}; output may come late\n`, 'note');
      return undefined;
    }
  }

  #openFiles({ onOutput, outputLimitBytes: limitBytes }: RunOptions): Outputs {
    const shared = { scratchDir: this.#scratchDir, limitBytes, leftovers: this.#leftovers };
    const open = (source: 'stdout' | 'stderr') =>
      new OutputFile({ ...shared, onText: onOutput && ((text) => onOutput(text, source)) });
    const stdout = open('stdout');
    try {
      return [stdout, open('stderr')];
    } catch (error) {
      stdout.close();
      throw error;
    }
  }

  async #start(file: string, args: readonly string[], outputs: Outputs): Promise<ProcessGroup> {
    try {
      const [stdout, stderr = stdout] = outputs;
      return await ProcessGroup.start(file, args, this.#environment, [stdout.fd, stderr.fd]);
    } catch (error) {
      closeAll(outputs);
      throw cannotStart(file, error);
    }
  }

  #leave(outputs: Outputs, group: ProcessGroup): void {
    if (this.#isClosed) closeAll(outputs);
    else for (const output of outputs) output?.leave(group.pid);
  }
}

/** As service(8) does it: an action must not depend on who started this program, and from where. */
export function cleanEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = (environment['PATH'] ?? '').split(':').filter((folder) => folder.startsWith('/'));
  const path = [...new Set([...own, ...systemFolders])].join(':');
  const kept = Object.entries(environment).filter(([name]) => /^(LANG|LC_[A-Z]+|TERM)$/.test(name));
  // Node hands this variable on by itself unless it is named here.
  return { PATH: path, ...Object.fromEntries(kept), NODE_V8_COVERAGE: undefined };
}

function closeAll(outputs: Outputs): void {
  for (const output of outputs) output?.close();
}

function cannotStart(file: string, cause: unknown): ServiceManagerError {
  const message = `${file} could not be started: ${reasonOf(cause)}`;
  return new ServiceManagerError('PROVIDER_FAILED', message, { cause });
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
