import type { Socket } from './sockets.ts';

/** Feeds every message of a socket to `handle`, one after the other, until the socket is closed. */
export async function serve(socket: Socket, handle: (frames: Buffer[]) => void): Promise<void> {
  for await (const frames of socket) handle(frames);
}
