/**
 * A signal came in the middle of a call (EINTR, see signal(7)): nothing has happened, and the call is to be made again. An
 * agent gets one for each program that ends.
 */
export function isInterrupted(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EINTR';
}

/** Makes the call until no signal is in the way. */
export function uninterrupted<Result>(call: () => Result): Result {
  for (;;) {
    try {
      return call();
    } catch (error) {
      if (!isInterrupted(error)) throw error;
    }
  }
}

/** The same for one that takes its time. */
export async function untilUninterrupted<Result>(call: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!isInterrupted(error)) throw error;
    }
  }
}
