import { expect } from 'chai';
import type { Frames, Socket } from '../../src/platform/sockets.ts';
import { isServiceManagerError } from '../../src/wire/errors.ts';

const deadlineMs = 5_000;

export const frames = (...texts: string[]): Frames => texts.map((text) => Buffer.from(text));
export const texts = (message: Frames): string[] => message.map((frame) => frame.toString());
export const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

export async function within<Value>(
  promise: Promise<Value>,
  meaning: string,
  ms = deadlineMs,
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${meaning}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs the loop that every socket needs, and hands out what came, in order. */
export class Inbox {
  readonly ended: Promise<void>;
  readonly #came: Frames[] = [];
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.ended = this.#run(socket);
    this.ended.catch(() => {});
  }

  get waiting(): number {
    return this.#came.length;
  }

  async next(meaning = 'a message'): Promise<Frames> {
    const message = this.#came.shift();
    if (message !== undefined) return message;
    const arrival = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await within(Promise.race([arrival, this.ended]), meaning);
    if (this.#came.length === 0) throw new Error(`the loop ended before ${meaning}`);
    return this.next(meaning);
  }

  async take(count: number): Promise<string[][]> {
    const taken: string[][] = [];
    while (taken.length < count)
      taken.push(texts(await this.next(`message ${taken.length + 1} of ${count}`)));
    return taken;
  }

  async text(): Promise<string> {
    return texts(await this.next()).join('|');
  }

  async #run(socket: Socket): Promise<void> {
    for await (const message of socket) {
      this.#came.push(message);
      this.#wake();
    }
  }
}

export function expectUnusable(error: unknown, endpoint: string): void {
  if (!isServiceManagerError(error)) throw error;
  expect(error.code).to.equal('ENDPOINT_UNUSABLE');
  expect(error.message).to.include(endpoint);
  expect(error.cause).to.be.an('error');
}

export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}
