import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Terminal } from '../terminal.ts';

type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

type InputStream = Readable & { readonly isTTY?: boolean };

/** What is needed of `process`. */
export interface TerminalProcess {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export class NodeTerminal implements Terminal {
  readonly #process: TerminalProcess;
  readonly #out: Outlet;
  readonly #error: Outlet;
  #isInputRead = false;

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

  get canAsk(): boolean {
    return this.isErrorTerminal && this.#process.stdin.isTTY === true && !this.#isInputRead;
  }

  async ask(question: string, signal?: AbortSignal): Promise<string | undefined> {
    await this.writeError(question);
    return until(signal, (settle) => {
      // Without `terminal` the line is edited by the system, and Ctrl-C stays a signal.
      const lines = createInterface({ input: this.#process.stdin, terminal: false });
      lines.once('line', settle).once('close', () => settle(undefined));
      return () => lines.close();
    });
  }

  readInput(signal?: AbortSignal): Promise<string | undefined> {
    this.#isInputRead = true;
    const { stdin } = this.#process;
    return until(signal, (settle, fail) => {
      let text = '';
      const add = (part: string): void => {
        text += part;
      };
      const end = (): void => settle(text);
      stdin.setEncoding('utf8').on('data', add).once('end', end).once('error', fail);
      return () => stdin.off('data', add).off('end', end).off('error', fail).pause();
    });
  }
}

type Begin<Value> = (settle: (value: Value) => void, fail: (error: Error) => void) => () => unknown;

/** What `begin` settles with, or undefined when aborted before. Calls what `begin` returned in the end. */
async function until<Value>(
  signal: AbortSignal | undefined,
  begin: Begin<Value | undefined>,
): Promise<Value | undefined> {
  if (signal?.aborted) return undefined;
  let release = (): void => {};
  try {
    return await new Promise<Value | undefined>((resolve, reject) => {
      const giveUp = (): void => resolve(undefined);
      signal?.addEventListener('abort', giveUp, { once: true });
      const end = begin(resolve, reject);
      release = () => {
        signal?.removeEventListener('abort', giveUp);
        end();
      };
    });
  } finally {
    release();
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
