import type { Writable } from 'node:stream';
import type { Terminal } from '../terminal.ts';

type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** What is needed of `process`. */
export interface TerminalProcess {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export class NodeTerminal implements Terminal {
  readonly #process: TerminalProcess;
  readonly #out: Outlet;
  readonly #error: Outlet;

  constructor(process: TerminalProcess) {
    this.#process = process;
    this.#out = new Outlet(process.stdout);
    this.#error = new Outlet(process.stderr);
  }

  writeOut(text: string): Promise<void> {
    return this.#out.write(text);
  }

  writeError(text: string): Promise<void> {
    return this.#error.write(text);
  }

  get isOutTerminal(): boolean {
    return this.#process.stdout.isTTY === true;
  }

  get isErrorTerminal(): boolean {
    return this.#process.stderr.isTTY === true;
  }

  get columns(): number | undefined {
    // A terminal on a serial line may say 0.
    return this.isOutTerminal ? this.#process.stdout.columns || undefined : undefined;
  }

  get isColor(): boolean {
    const { NO_COLOR: noColor = '', TERM: terminalName } = this.#process.env;
    return this.isOutTerminal && noColor === '' && terminalName !== 'dumb';
  }
}

class Outlet {
  readonly #stream: OutputStream;
  #isReaderGone = false;

  constructor(stream: OutputStream) {
    this.#stream = stream;
    // Without a listener a closed pipe would end the program with a stack trace. The failed write tells the rest.
    stream.on('error', (error) => this.#note(error));
  }

  write(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isReaderGone || text === '') return resolve();
      this.#stream.write(text, (error) => {
        if (error) this.#note(error);
        if (!error || this.#isReaderGone) resolve();
        else reject(error);
      });
    });
  }

  #note(error: NodeJS.ErrnoException): void {
    if (error.code !== undefined && readerGoneCodes.has(error.code)) this.#isReaderGone = true;
  }
}

// ECONNRESET where standard output is a socket, as under some service managers; the last one for all writes that were
// under way when the first of them found the pipe closed.
const readerGoneCodes: ReadonlySet<string> = new Set(['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED']);
