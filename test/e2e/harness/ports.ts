import { createServer, type Server } from 'node:net';

const given = new Set<number>();

/** A loopback port that nobody listens on; this process never gets the same one twice. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  if (port === undefined) throw new Error('no free port');
  return port;
}

export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  const held: Server[] = [];
  try {
    while (ports.length < count) {
      const server = await listen();
      held.push(server);
      const port = portOf(server);
      if (!given.has(port)) ports.push(port);
      given.add(port);
    }
  } finally {
    await Promise.all(held.map(close));
  }
  return ports;
}

export async function freeEndpoint(): Promise<string> {
  return endpoint(await freePort());
}

export function endpoint(port: number): string {
  return `tcp://127.0.0.1:${port}`;
}

function listen(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP server');
  return address.port;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
