import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Output } from './captured-output.ts';
import { nodeClock } from './clock.ts';
import { decodeBeginning } from './output-file.ts';
import { groupExists } from './process-group.ts';
import { TerminalKeeper } from './terminal-keeper.ts';

type Master = Readable & { unref(): void };

/** What we use of the package, which does not declare its `open`. */
interface PtyPackage {
  open(options: { cols: number; rows: number; encoding: null }): {
    readonly master: Master;
    readonly slave: Readable;
    readonly ptsName: string;
    /** Of the master. */
    readonly fd: number;
  };
}

/** Makes pseudo-terminals. */
export interface PseudoTerminals {
  /** Throws the system's own error when there are no more of them. */
  open(limitBytes: number, onText: (text: string) => void): Output;
}

const columns = 132;
const rows = 50;
const quietPauses = 5;
const pauseMs = 5;
const longestSettleMs = 1_000;
const leftoverCheckMs = 60_000;
const mostFdsBetween = 64;

/** Undefined where the optional package is missing or does not load on this system. */
export async function loadPseudoTerminals(): Promise<PseudoTerminals | undefined> {
  try {
    // Loaders differ in what they make of a CommonJS package.
    const loaded = (await import('@lydell/node-pty')) as unknown as PtyPackage & { default?: PtyPackage };
    const pty = loaded.default ?? loaded;
    return { open: (limitBytes, onText) => new PseudoTerminal(pty, limitBytes, onText) };
  } catch {
    return undefined;
  }
}

/**
 * A terminal that nobody sits at. The program prints to it as to a person: line by line. It is not the controlling
 * terminal of what runs on it, so that closing it hangs nobody up: a service must outlive us.
 */
class PseudoTerminal implements Output {
  readonly fd: number;
  readonly #master: Master;
  readonly #keeper: TerminalKeeper;
  readonly #limitBytes: number;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  readonly #kept: Buffer[] = [];
  #keptBytes = 0;
  #cutBytes = 0;
  #lastDataMs = nodeClock.now();
  #isOver = false;
  #onText: (text: string) => void;
  #leftoverTimer: NodeJS.Timeout | undefined;
  #isOurEndOpen = true;

  constructor(pty: PtyPackage, limitBytes: number, onText: (text: string) => void) {
    this.#limitBytes = limitBytes;
    this.#onText = onText;
    const { master, slave, ptsName, fd } = pty.open({ cols: columns, rows, encoding: null });
    this.#master = master;
    // A system without other holders of the terminal reports an error instead of the end.
    master.on('error', () => this.#end()).on('end', () => this.#end());
    slave.on('error', () => {}).destroy();
    closeLeftOpen(ptsName, fd);
    this.fd = openSync(ptsName, constants.O_RDWR | constants.O_NOCTTY);
    this.#keeper = new TerminalKeeper(fd);
    master.on('data', (data: Buffer) => this.#take(data));
  }

  cutBack(): void {}

  /** Nothing tells that the end is reached while a daemon holds the terminal, so a short silence must do. */
  async settle(): Promise<void> {
    this.#closeOurEnd();
    const endsMs = nodeClock.now() + longestSettleMs;
    // Counted, not timed: after a stall of this program the time is over before anything was read.
    for (let quiet = 0; quiet < quietPauses && !this.#isOver; quiet += 1) {
      const lastDataMs = this.#lastDataMs;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      if (this.#lastDataMs !== lastDataMs) quiet = 0;
      if (nodeClock.now() >= endsMs) return;
    }
  }

  read() {
    const bytes = Buffer.concat(this.#kept);
    return {
      text: asLines(decodeBeginning(bytes, this.#cutBytes > 0)),
      cutBytes: this.#cutBytes,
    };
  }

  /** What is left running would stand still when nobody took its output, and fail when the terminal was gone. */
  leave(pid: number): void {
    this.#onText = () => {};
    this.#kept.length = 0;
    if (this.#isOver) return;
    // Reading for it is no reason for this program to go on.
    this.#master.unref();
    let checks = 0;
    this.#leftoverTimer = setInterval(() => {
      checks += 1;
      const isInUse = groupExists(pid) || nodeClock.now() - this.#lastDataMs < 10 * leftoverCheckMs;
      if (checks > 1 && !isInUse) this.close();
    }, leftoverCheckMs).unref();
  }

  close(): void {
    this.#closeOurEnd();
    this.#end();
    this.#master.destroy();
  }

  /** Ours is held until the process has ended, so that the terminal does not end before it has begun. */
  #closeOurEnd(): void {
    if (this.#isOurEndOpen) closeSync(this.fd);
    this.#isOurEndOpen = false;
  }

  #take(data: Buffer): void {
    this.#lastDataMs = nodeClock.now();
    const room = Math.max(0, this.#limitBytes - this.#keptBytes);
    if (room > 0) this.#kept.push(data.subarray(0, room));
    this.#keptBytes += Math.min(room, data.byteLength);
    this.#cutBytes += Math.max(0, data.byteLength - room);
    this.#onText(asLines(this.#decoder.decode(data, { stream: true })));
  }

  #end(): void {
    this.#isOver = true;
    this.#keeper.release();
    clearInterval(this.#leftoverTimer);
  }
}

/**
 * The package opens the other end right behind the master, and the stream that it makes of it closes only a copy. While
 * one is left here the terminal would never end.
 */
function closeLeftOpen(ptsName: string, masterFd: number): void {
  const { rdev } = statSync(ptsName);
  for (let fd = masterFd + 1; fd <= masterFd + mostFdsBetween; fd += 1) {
    try {
      if (fstatSync(fd).rdev === rdev) closeSync(fd);
    } catch {
      // Not open.
    }
  }
}

/** A terminal turns the end of each line into two characters. */
function asLines(text: string): string {
  return text.replaceAll('\r\n', '\n');
}
