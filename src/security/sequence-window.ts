/**
 * `fresh`: take it. `jump`: take it, but so many before it are missing that it says something: messages were lost, or
 * somebody makes numbers up. `replay`: it was taken before. `old`: too far back to know.
 */
export type SequenceVerdict = 'fresh' | 'jump' | 'replay' | 'old';

export const sequenceWindowSize = 1_024;
const bitsInWord = 32;

/**
 * Takes each number of one run of one agent once. Messages of two sockets may overtake one another, so the last 1,024
 * numbers may come in any order; what is older is not taken. It begins wherever the first message stands. 128 bytes,
 * whatever comes.
 */
export class SequenceWindow {
  readonly #seen = new Uint32Array(sequenceWindowSize / bitsInWord);
  #highest = -1;

  /** How far it is from the latest number; 0 before the first one. */
  distanceTo(sequence: number): number {
    return this.#highest < 0 ? 0 : Math.abs(sequence - this.#highest);
  }

  /** To be asked only of messages whose MAC is good: what is taken moves the window. */
  take(sequence: number): SequenceVerdict {
    if (!Number.isSafeInteger(sequence) || sequence < 0) return 'old';
    if (sequence > this.#highest) return this.#advance(sequence);
    if (this.#highest - sequence >= sequenceWindowSize) return 'old';
    if (this.#isSeen(sequence)) return 'replay';
    this.#mark(sequence);
    return 'fresh';
  }

  #advance(sequence: number): SequenceVerdict {
    const isFirst = this.#highest < 0;
    const steps = sequence - this.#highest;
    if (steps >= sequenceWindowSize) this.#seen.fill(0);
    else for (let passed = this.#highest + 1; passed < sequence; passed += 1) this.#clear(passed);
    this.#highest = sequence;
    this.#mark(sequence);
    return isFirst || steps <= sequenceWindowSize ? 'fresh' : 'jump';
  }

  #isSeen(sequence: number): boolean {
    return (this.#word(sequence) & bitOf(sequence)) !== 0;
  }

  #mark(sequence: number): void {
    this.#seen[wordOf(sequence)] = this.#word(sequence) | bitOf(sequence);
  }

  #clear(sequence: number): void {
    this.#seen[wordOf(sequence)] = this.#word(sequence) & ~bitOf(sequence);
  }

  #word(sequence: number): number {
    return this.#seen[wordOf(sequence)] ?? 0;
  }
}

function wordOf(sequence: number): number {
  return Math.floor((sequence % sequenceWindowSize) / bitsInWord);
}

function bitOf(sequence: number): number {
  return 1 << (sequence % bitsInWord);
}
