/** Time, passed in. Nothing outside platform/node reads a clock or sets a timer. */
export interface Clock {
  /** Milliseconds since an arbitrary start; never jumps, never goes back. For deadlines and durations. */
  now(): number;
  /** Milliseconds since 1970, as this host believes. For what people read and other hosts compare. */
  wallMs(): number;
  /** Runs `run` once after `delayMs`. The name tells which timer keeps a program alive. Cancelling twice is harmless. */
  after(delayMs: number, name: string, run: () => void): Cancel;
}

export type Cancel = () => void;

/** Resolves after `delayMs`, or at once when `signal` is aborted. Never rejects. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const cancel = clock.after(delayMs, 'sleep', () => {
      signal?.removeEventListener('abort', wake);
      resolve();
    });
    const wake = () => {
      cancel();
      resolve();
    };
    signal?.addEventListener('abort', wake, { once: true });
  });
}
