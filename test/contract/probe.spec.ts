import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { nodeClock } from '../../src/platform/node/clock.ts';
import { nodeProbe } from '../../src/platform/node/probe.ts';
import type { Probe } from '../../src/platform/probe.ts';
import { eventually } from '../fakes/eventually.ts';
import { type ScriptedPort, ScriptedProbe } from '../fakes/scripted-probe.ts';

interface World {
  readonly probe: Probe;
  /** A port where this is met with. */
  port(what: ScriptedPort): Promise<number>;
}

const servers: Server[] = [];
const connections = new Set<Socket>();

async function listening(server: Server, host = '127.0.0.1'): Promise<number> {
  servers.push(server);
  server.on('connection', (socket) => connections.add(socket.on('error', () => {})));
  server.listen(0, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function realPort(what: ScriptedPort): Promise<number> {
  if (typeof what === 'number') {
    return listening(createHttpServer((_request, response) => response.writeHead(what).end('body')));
  }
  const port = await listening(createServer());
  if (what === 'refuses') await new Promise((resolve) => servers.pop()?.close(resolve));
  return port;
}

function real(): World {
  return { probe: nodeProbe, port: realPort };
}

function scripted(): World {
  const probe = new ScriptedProbe(nodeClock);
  let lastPort = 1_000;
  return {
    probe,
    async port(what) {
      lastPort += 1;
      probe.set(lastPort, what);
      return lastPort;
    },
  };
}

function cleanUp(): void {
  for (const connection of connections) connection.destroy();
  connections.clear();
  for (const server of servers.splice(0)) server.close();
}

const limits = { timeoutMs: 5_000 };

for (const [name, open] of Object.entries({ nodeProbe: real, ScriptedProbe: scripted })) {
  describe(`Probe as ${name}`, () => {
    afterEach(cleanUp);

    it('finds a port healthy where a connection is taken, also by one that says nothing', async () => {
      const { probe, port } = open();
      for (const what of ['listens', 'hangs', 500] as const) {
        expect((await probe.tcp(await port(what), limits)).isHealthy, String(what)).to.equal(true);
      }
    });

    it('finds a port unhealthy where nobody listens, and says so', async () => {
      const { probe, port } = open();
      const number = await port('refuses');
      for (const result of [await probe.tcp(number, limits), await probe.http(number, '/', limits)]) {
        expect(result).to.deep.equal({
          isHealthy: false,
          detail: `connect ECONNREFUSED 127.0.0.1:${number}`,
        });
      }
    });

    for (const [status, isHealthy] of [
      [200, true],
      [204, true],
      [302, true],
      [404, false],
      [503, false],
    ] as const) {
      it(`finds an HTTP ${status} ${isHealthy ? 'healthy' : 'unhealthy'}`, async () => {
        const { probe, port } = open();
        expect(await probe.http(await port(status), '/up?a=1', limits)).to.deep.equal({
          isHealthy,
          detail: `HTTP ${status}`,
        });
      });
    }

    it('does not wait longer than its time for an answer that does not come', async () => {
      const { probe, port } = open();
      expect(await probe.http(await port('hangs'), '/', { timeoutMs: 100 })).to.deep.equal({
        isHealthy: false,
        detail: 'no answer within 0.1 s',
      });
    });

    it('ends when nobody waits any more', async () => {
      const { probe, port } = open();
      const stop = new AbortController();
      const asked = probe.http(await port('hangs'), '/', { ...limits, signal: stop.signal });
      stop.abort();
      expect(await asked).to.deep.equal({ isHealthy: false, detail: 'cancelled' });
    });
  });
}

describe('nodeProbe', () => {
  afterEach(cleanUp);

  it('takes a port on ::1 for one of this host', async () => {
    const port = await listening(createServer(), '::1').catch(() => undefined);
    // A kernel without IPv6 has no such address.
    if (port === undefined) return;
    expect((await nodeProbe.tcp(port, limits)).isHealthy).to.equal(true);
  });

  it('asks for the path as it stands, as a host on this port', async () => {
    const asked: unknown[] = [];
    const server = createHttpServer((request, response) => {
      asked.push([request.method, request.url, request.headers.host]);
      response.end();
    });
    const port = await listening(server);
    await nodeProbe.http(port, '/a/../b?c=%20', limits);
    expect(asked).to.deep.equal([['GET', '/a/../b?c=%20', `localhost:${port}`]]);
  });

  it('does not read a body that never ends, and lets go of its connections', async () => {
    const port = await listening(
      createHttpServer((_request, response) => {
        // Without a look at the error it would go on for ever when the connection is gone, and nothing else would.
        const more = (error?: Error | null) => error ?? response.write('x'.repeat(65_536), more);
        more();
      }),
    );
    const { isHealthy } = await nodeProbe.http(port, '/', { timeoutMs: 60_000 });
    expect(isHealthy).to.equal(true);
    await eventually(() => [...connections].every(({ destroyed }) => destroyed), 'all are closed');
  });

  it('finds what is no HTTP unhealthy', async () => {
    const port = await listening(createServer((socket) => socket.end('hello\r\n\r\n')));
    const { isHealthy, detail } = await nodeProbe.http(port, '/', limits);
    expect(isHealthy).to.equal(false);
    expect(detail).to.match(/Parse Error/);
  });
});
