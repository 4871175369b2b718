import { constants } from 'node:os';
import { ServiceManagerError } from '../../wire/errors.ts';
import type { CapturedOutput, ProcessExit, Processes, RunOptions } from '../processes.ts';
import { LeftoverOutput } from './leftover-output.ts';
import { OutputFile } from './output-file.ts';
import { ProcessGroup } from './process-group.ts';

export interface NodeProcessesOptions {
  /** Folder for the output of what runs, on a local disk. Made with mode 0700 when missing. */
  readonly scratchDir: string;
  /** How often the output of a running process is measured and cut back. Default 100. */
  readonly cutBackIntervalMs?: number;
  /** How often the output of what an action left running is emptied. Default 60,000. */
  readonly leftoverCheckMs?: number;
  /** Output files that may be kept open for that. Default 256. */
  readonly maxLeftovers?: number;
}

interface Outputs {
  readonly stdout: OutputFile;
  readonly stderr: OutputFile;
}

const systemFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

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
  readonly #environment = cleanEnvironment(process.env);
  readonly #leftovers: LeftoverOutput;
  readonly #running = new Set<ProcessGroup>();
  #isClosed = false;

  constructor(options: NodeProcessesOptions) {
    this.#scratchDir = options.scratchDir;
    this.#cutBackIntervalMs = options.cutBackIntervalMs ?? 100;
    this.#leftovers = new LeftoverOutput(options.leftoverCheckMs ?? 60_000, options.maxLeftovers ?? 256);
  }

  async run(file: string, args: readonly string[], options: RunOptions): Promise<ProcessExit> {
    if (this.#isClosed) throw new ServiceManagerError('SHUTTING_DOWN', `${file} is not started any more`);
    if (options.signal?.aborted) return neverStarted;
    const startedMs = performance.now();
    const outputs = this.#openOutputs(file, options.outputLimitBytes);
    const group = await this.#start(file, args, outputs);
    const cuttingBack = setInterval(() => {
      outputs.stdout.cutBack();
      outputs.stderr.cutBack();
    }, this.#cutBackIntervalMs);
    this.#running.add(group);
    if (this.#isClosed) group.giveUp();
    try {
      const reason = await group.ends(options);
      if (group.isGivenUp) throw new ServiceManagerError('INTERRUPTED', `${file} goes on without us`);
      return {
        // Without an exit code it has not even died of KILL yet, which is all that is left to say.
        exitCode: group.exitCode ?? -constants.signals.SIGKILL,
        timedOut: reason === 'timeout',
        aborted: reason === 'abort',
        stdout: outputs.stdout.read(),
        stderr: outputs.stderr.read(),
        durationMs: Math.round(performance.now() - startedMs),
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

  #openOutputs(file: string, limitBytes: number): Outputs {
    try {
      const stdout = new OutputFile(this.#scratchDir, limitBytes);
      try {
        return { stdout, stderr: new OutputFile(this.#scratchDir, limitBytes) };
      } catch (error) {
        stdout.close();
        throw error;
      }
    } catch (error) {
      throw cannotStart(file, error);
    }
  }

  async #start(file: string, args: readonly string[], outputs: Outputs): Promise<ProcessGroup> {
    try {
      return await ProcessGroup.start(file, args, this.#environment, [outputs.stdout.fd, outputs.stderr.fd]);
    } catch (error) {
      closeBoth(outputs);
      throw cannotStart(file, error);
    }
  }

  #leave(outputs: Outputs, group: ProcessGroup): void {
    if (this.#isClosed) {
      closeBoth(outputs);
    } else {
      this.#leftovers.keep(outputs.stdout.fd, group.pid);
      this.#leftovers.keep(outputs.stderr.fd, group.pid);
    }
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

function closeBoth(outputs: Outputs): void {
  outputs.stdout.close();
  outputs.stderr.close();
}

function cannotStart(file: string, cause: unknown): ServiceManagerError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ServiceManagerError('PROVIDER_FAILED', `${file} could not be started: ${reason}`, { cause });
}
