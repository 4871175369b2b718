import { type ChildProcess, spawn } from 'node:child_process';

export interface ProgramOptions {
  /** Added to this process's environment; an undefined value takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** A command line before this one that becomes the program, without a process in between: `nsenter --net=FILE`. */
  readonly within?: readonly string[];
  /** What messages call the program; its file when not given. */
  readonly label?: string;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export const defaultDeadlineMs = 10_000;
/** What a grandchild that still holds the output open can add after the program's own end. */
const lastOutputMs = 300;
const longestShownOutput = 4_000;

/** A running child process with captured output. Tests get one from `startProgram`, which also sees to its end. */
export class Program {
  readonly label: string;
  readonly pid: number;
  /** Resolves when the program has ended and its last output was read. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #startedAt = performance.now();
  readonly #output = { stdout: '', stderr: '' };
  readonly #lines: string[] = [];
  readonly #watchers = new Set<() => void>();
  #exit: Exit | undefined;
  #endedAt: number | undefined;

  constructor(name: string, args: readonly string[], options: ProgramOptions) {
    const { env, cwd, within = [], label = name } = options;
    const [first = name, ...rest] = [...within, name, ...args];
    this.label = label;
    this.#child = spawn(first, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Coverage is measured in this process only; in a child it would cost time that tests measure.
      env: { ...process.env, NODE_V8_COVERAGE: undefined, ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.#child.on('error', () => undefined);
    const { pid } = this.#child;
    if (pid === undefined) throw new Error(`${label}: cannot start ${name} in ${cwd ?? process.cwd()}`);
    this.pid = pid;
    this.#read('stdout');
    this.#read('stderr');
    this.exited = this.#untilExit();
  }

  get stdout(): string {
    return this.#output.stdout;
  }

  get stderr(): string {
    return this.#output.stderr;
  }

  /** The complete lines of both streams so far, in the order they came. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  get isRunning(): boolean {
    return this.#exit === undefined;
  }

  get elapsedMs(): number {
    return (this.#endedAt ?? performance.now()) - this.#startedAt;
  }

  /**
   * Resolves with the first line of either stream, from line number `from` on, that matches. Rejects, showing the output, when the
   * deadline passes or the program ends first.
   */
  waitForLine(pattern: RegExp, deadlineMs = defaultDeadlineMs, from = 0): Promise<RegExpExecArray> {
    const unmoving = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
    return this.waitFor(
      `a line like ${pattern}`,
      deadlineMs,
      (line) => unmoving.exec(line) ?? undefined,
      from,
    );
  }

  /** As `waitForLine`, for any test of a line: resolves with the first thing that `read` finds. */
  waitFor<Found>(
    what: string,
    deadlineMs: number,
    read: (line: string) => Found | undefined,
    from = 0,
  ): Promise<Found> {
    let next = from;
    const find = (): Found | undefined => {
      for (; next < this.#lines.length; next++) {
        const found = read(this.#lines[next] ?? '');
        if (found !== undefined) return found;
      }
      return undefined;
    };
    return this.#watch(what, deadlineMs, find);
  }

  waitForExit(deadlineMs = defaultDeadlineMs): Promise<Exit> {
    return this.#watch('its end', deadlineMs, () => this.#exit);
  }

  /** Sends a signal and waits for the end; a program that does not go is killed, and that is an error. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', deadlineMs = defaultDeadlineMs): Promise<Exit> {
    this.signal(signal);
    try {
      return await this.waitForExit(deadlineMs);
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  kill(): Promise<Exit> {
    this.signal('SIGKILL');
    return this.exited;
  }

  /** Sends a signal and waits for nothing; SIGSTOP and SIGCONT for instance. */
  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.#child.kill(signal);
  }

  /** Ends it politely if it is quick, else at once. */
  async end(): Promise<void> {
    this.signal('SIGCONT');
    await this.stop('SIGTERM', 3_000).catch(() => undefined);
  }

  #read(stream: 'stdout' | 'stderr'): void {
    let unfinished = '';
    this.#child[stream]?.setEncoding('utf8').on('data', (text: string) => {
      this.#output[stream] += text;
      const lines = (unfinished + text).split('\n');
      unfinished = lines.pop() ?? '';
      this.#lines.push(...lines);
      this.#wake();
    });
  }

  #untilExit(): Promise<Exit> {
    return new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        this.#endedAt = performance.now();
        const settle = () => {
          clearTimeout(timer);
          this.#child.stdout?.destroy();
          this.#child.stderr?.destroy();
          this.#exit ??= { code, signal };
          resolve(this.#exit);
          this.#wake();
        };
        const timer = setTimeout(settle, lastOutputMs);
        this.#child.once('close', settle);
      });
    });
  }

  #wake(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  #watch<Found>(what: string, deadlineMs: number, find: () => Found | undefined): Promise<Found> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = find();
        if (found !== undefined) settle(() => resolve(found));
        else if (!this.isRunning) settle(() => reject(this.#missed(what, 'the program ended first')));
      };
      const settle = (finish: () => void) => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        finish();
      };
      const late = () => settle(() => reject(this.#missed(what, `not within ${deadlineMs} ms`)));
      const timer = setTimeout(late, deadlineMs);
      this.#watchers.add(look);
      look();
    });
  }

  #missed(what: string, why: string): Error {
    const exit = this.#exit;
    const state = exit === undefined ? 'running' : `ended (code ${exit.code}, signal ${exit.signal})`;
    return new Error(
      `${this.label} (pid ${this.pid}, ${state}): waited for ${what}: ${why}\n` +
        `--- stdout ---\n${shown(this.stdout)}\n--- stderr ---\n${shown(this.stderr)}`,
    );
  }
}

function shown(output: string): string {
  return output.length > longestShownOutput
    ? `...${output.slice(-longestShownOutput)}`
    : output || '(nothing)';
}
