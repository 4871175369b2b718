import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { CurveKeys, CurvePublic } from '../src/security/keys.ts';
import { source } from './children.ts';

/** What a flood is made of: see flood.ts. */
export type FloodOrder = {
  readonly endpoint: string;
  /** The key of the manager. */
  readonly manager: CurvePublic;
} & (
  | { readonly kind: 'silent connections' | 'unknown keys' }
  | { readonly kind: 'forged results'; readonly own: CurveKeys; readonly frames: readonly string[] }
);

/** A process beside this one that molests a manager while it is told to. */
export class Flood {
  readonly #child;
  readonly #lines;

  constructor(order: FloodOrder) {
    this.#child = spawn(process.execPath, [...source('flood.ts'), JSON.stringify(order)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** Resolves when it has begun, or ended. */
  async set(isOn: boolean): Promise<void> {
    this.#child.stdin.write(isOn ? 'on\n' : 'off\n');
    await this.#lines.next();
  }

  async close(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }
}
