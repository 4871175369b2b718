import { createRequire } from 'node:module';
import type * as Pty from '@lydell/node-pty';
import { eventually } from '../../fakes/eventually.ts';
import { built } from './daemon.ts';
import { onCleanUp } from './processes.ts';

const pty: typeof Pty = createRequire(import.meta.url)('@lydell/node-pty');

/** Our client as a person has it: on a real pseudo-terminal. */
export class ClientOnTerminal {
  readonly #terminal: Pty.IPty;
  readonly #ended: Promise<number>;
  #screen = '';

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#terminal = pty.spawn(process.execPath, [built('service-mgr-client'), ...args], {
      ...{ name: 'xterm', cols: 120, rows: 40 },
      env: { ...process.env, NO_COLOR: '', ...env },
    });
    this.#terminal.onData((text) => {
      this.#screen += text;
    });
    this.#ended = new Promise((resolve) => {
      this.#terminal.onExit(({ exitCode }) => resolve(exitCode));
    });
    onCleanUp(() => this.#terminal.kill('SIGKILL'));
  }

  /** Everything that was written so far, with its colours. */
  get screen(): string {
    return this.#screen.replaceAll('\r\n', '\n');
  }

  type(text: string): void {
    this.#terminal.write(text);
  }

  waitFor(text: string | RegExp, withinMs = 15_000): Promise<void> {
    const isThere = () => (typeof text === 'string' ? this.screen.includes(text) : text.test(this.screen));
    return eventually(isThere, `the terminal shows ${text}`, withinMs).catch((error) => {
      throw new Error(`${error.message}, but:\n${this.screen}`);
    });
  }

  /** The exit code. */
  async end(): Promise<number> {
    return this.#ended;
  }
}
