import { createColors } from 'picocolors';
import type { OutputPiece } from '../client/index.ts';
import { printable } from './formats/printable.ts';
import type { Output } from './output.ts';

const hues = ['cyan', 'yellow', 'green', 'magenta', 'blue', 'cyanBright', 'yellowBright'] as const;
const longestLine = 4_096;

/** Prints what actions print while they run: line by line, each behind the name of its node. */
export class LiveOutput {
  readonly #output: Output;
  readonly #write: (line: string) => void;
  readonly #paint: ReturnType<typeof createColors>;
  readonly #hues = new Map<string, (typeof hues)[number]>();
  /** Lines that have not ended yet. */
  readonly #begun = new Map<string, string>();
  readonly #next = new Map<string, number>();
  #width: number;

  /** `nodes`: as far as they are known, so that all names have the same width. `isData`: the lines are what is asked for. */
  constructor(nodes: readonly string[], output: Output, isData: boolean) {
    this.#output = output;
    this.#write = (line) => (isData ? output.data(`${line}\n`) : output.coloured(line));
    this.#paint = createColors(isData ? output.isColor : output.isErrorColor);
    this.#width = Math.max(0, ...nodes.map((node) => node.length));
  }

  take({ node, source, text, index }: OutputPiece): void {
    if (index > (this.#next.get(node) ?? 0)) this.#output.message(`${node}: some of its output was lost`);
    this.#next.set(node, index + 1);
    if (source === 'note') return this.#output.message(`${node}: ${text.trimEnd()}`);
    const lines = `${this.#begun.get(node) ?? ''}${text}`.split('\n');
    const rest = lines.pop() ?? '';
    for (const line of lines) this.#print(node, line);
    // A line without an end is not gathered for ever.
    if (rest.length > longestLine) this.#print(node, rest);
    this.#begun.set(node, rest.length > longestLine ? '' : rest);
  }

  /** Prints what has no end. */
  close(): void {
    for (const [node, line] of this.#begun) if (line !== '') this.#print(node, line);
    this.#begun.clear();
  }

  #print(node: string, line: string): void {
    this.#width = Math.max(this.#width, node.length);
    const name = this.#paint[this.#hueOf(node)](printable(node).padEnd(this.#width));
    this.#write(`${name} | ${shown(line)}`);
  }

  #hueOf(node: string): (typeof hues)[number] {
    const hue = this.#hues.get(node) ?? hues[this.#hues.size % hues.length] ?? 'cyan';
    this.#hues.set(node, hue);
    return hue;
  }
}

// Colours and the like, which programs on a terminal print.
const styling = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** What came after the last return of the carriage, as a terminal would leave it; without what else steers one. */
function shown(line: string): string {
  const last = line.replace(/\r+$/, '').split('\r').at(-1) ?? '';
  return printable(last.replace(styling, '').replaceAll('\t', '    '));
}
