import type * as zmq from 'zeromq';
import { uninterrupted, untilUninterrupted } from './interrupted.ts';

/** Hands over what happens to the socket's connections. Resolves when it is closed and all is done; one watch per socket. */
export async function watch(raw: zmq.Socket, onEvent: (event: zmq.Event) => void = () => {}): Promise<void> {
  const events = uninterrupted(() => raw.events);
  for (;;) {
    const event = await untilUninterrupted(() => events.receive());
    if (event.type === 'end') return;
    onEvent(event);
  }
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
