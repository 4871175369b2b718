import type { CapturedOutput } from '../platform/processes.ts';

/** As it is sent: what was kept, and how much was not. */
export function textOf({ text, cutBytes }: CapturedOutput): string {
  return cutBytes === 0 ? text : `${text}\n[service-mgr: ${cutBytes} more bytes were cut]\n`;
}

/** Its beginning of at most so many bytes of UTF-8; characters stay whole. */
export function cutTo(limitBytes: number, { text, cutBytes }: CapturedOutput): CapturedOutput {
  // No character of UTF-16 takes more than three bytes.
  if (text.length * 3 <= limitBytes) return { text, cutBytes };
  const { read, written } = new TextEncoder().encodeInto(text, new Uint8Array(limitBytes));
  return { text: text.slice(0, read), cutBytes: cutBytes + Buffer.byteLength(text) - written };
}

/** The outputs of several programs one after the other, each under a line that says whose it is. */
export class JoinedOutput {
  readonly #limitBytes: number;
  #joined: CapturedOutput = { text: '', cutBytes: 0 };

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get captured(): CapturedOutput {
    return this.#joined;
  }

  add(heading: string, { text, cutBytes }: CapturedOutput): void {
    if (text === '' && cutBytes === 0) return;
    const lines = text.endsWith('\n') ? text : `${text}\n`;
    const added = `== ${heading} ==\n${lines}`;
    const { text: before, cutBytes: cutBefore } = this.#joined;
    // Behind a cut nothing is added: what is kept is the beginning.
    this.#joined =
      cutBefore > 0
        ? { text: before, cutBytes: cutBefore + Buffer.byteLength(added) + cutBytes }
        : cutTo(this.#limitBytes, { text: before + added, cutBytes });
  }
}
