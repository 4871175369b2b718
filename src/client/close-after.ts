import type { Clock } from '../platform/clock.ts';
import type { Socket } from '../platform/sockets.ts';

/** Closes the socket after `delayMs` (never, if infinite) or when the signal is aborted, which ends its loop. Call what it returns when done. */
export function closeAfter(
  socket: Socket,
  delayMs: number,
  signal: AbortSignal | undefined,
  clock: Clock,
): () => void {
  const close = (): void => void socket.close();
  const cancel =
    delayMs === Number.POSITIVE_INFINITY
      ? () => {}
      : clock.after(Math.max(0, delayMs), 'close socket', close);
  signal?.addEventListener('abort', close, { once: true });
  if (signal?.aborted) close();
  return () => {
    cancel();
    signal?.removeEventListener('abort', close);
  };
}
