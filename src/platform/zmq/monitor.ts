import type * as zmq from 'zeromq';
import { uninterrupted, untilUninterrupted } from './interrupted.ts';

/** Hands over what happens to the socket's connections. Resolves when it is closed and all is done; one watch per socket. */
export async function watch(raw: zmq.Socket, onEvent: (event: zmq.Event) => void = () => {}): Promise<void> {
  const events = eventsOf(raw);
  for (;;) {
    const event = await untilUninterrupted(() => events.receive());
    if (event.type === 'end') return;
    onEvent(event);
  }
}

/**
 * Where a signal came in the middle, zeromq.js has taken an address for the events that libzmq gives free in the background,
 * and the next attempt may ask for the same one. That takes less than a millisecond, and so seldom happens that the
 * whole program may wait for it.
 */
function eventsOf(raw: zmq.Socket): zmq.Observer {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return uninterrupted(() => raw.events);
    } catch (error) {
      if (!isTaken(error) || attempt >= mostAttempts) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

const mostAttempts = 1_000;

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}

/**
 * zeromq closes in the background: it goes on sending for as long as it lingers and only then gives the port free. The
 * end of its event stream is the one sign that it is done.
 */
export async function closeAndWait(raw: zmq.Socket): Promise<void> {
  let ended: Promise<void>;
  try {
    ended = watch(raw);
  } finally {
    raw.close();
  }
  await ended;
}
