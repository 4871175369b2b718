import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { message } from '../../src/wire/codec.ts';
import { RequestBody, sealRequest } from '../../src/wire/request.ts';
import { type RunningManager, runClient, startAgent, startManager } from './harness/fleet.ts';
import { isObject, type JsonObject } from './harness/management.ts';
import { freePort } from './harness/ports.ts';
import { cleanUp } from './harness/processes.ts';
import { exchange } from './harness/raw-peers.ts';
import { scripted, type TestService, wellBehaved } from './harness/services.ts';
import { temporaryFolder } from './harness/temporary-folder.ts';

const lateListener = fileURLToPath(new URL('zoo/needs-3-s-to-listen.cjs', import.meta.url));
const hangs = `#!/bin/sh\necho "$@" >>"$(dirname "$0")/runs"\ntrap '' TERM\nsleep 2147483\n`;

interface Told extends JsonObject {
  readonly outcome: unknown;
  readonly elapsedMs: number;
}

describe('a health check on a node', function () {
  this.timeout(60_000);
  afterEach(cleanUp);

  it('that hangs is ended with the time of the action, and the service is unverified and left alone', async () => {
    const program = join(temporaryFolder(), 'hangs');
    writeFileSync(program, hangs, { mode: 0o755 });
    const manager = await fleet({ web: `${program} --now`, other: '/bin/true' });
    const service = wellBehaved();
    const told = await start(manager, service, { health: 'exec:web', timeoutMs: 4_000, settleMs: 500 });
    expect(told).to.deep.include({ outcome: 'unverified', returncode: 0, state: 'running' });
    expect(told['health']).to.deep.include({ check: 'exec:web', isHealthy: false, attempts: 1 });
    expect(told['msg']).to.match(/, but the health check exec:web failed: no end within 3(\.\d+)? s$/);
    // After the time limit the program that does not end by itself gets TERM, and 1 s later KILL.
    expect(told.elapsedMs).to.be.within(4_000, 9_000);
    expect(await service.runs()).to.include('start');
    expect(service.daemonPid()).to.be.a('number');
  });

  it('waits for a service that needs 3 s to listen', async () => {
    const manager = await fleet({});
    const port = await freePort();
    const service = listener(port, 'answers');
    const told = await start(manager, service, { health: `http:${port}/up?now`, settleMs: 200 });
    expect(told).to.deep.include({ outcome: 'ok', state: 'running' });
    expect(told['health']).to.deep.include({ isHealthy: true, detail: 'HTTP 200' });
    expect(told.elapsedMs).to.be.at.least(3_000);
  });

  it('of a port is content with one that listens and says nothing; one that asks over HTTP is not', async () => {
    const manager = await fleet({});
    const port = await freePort();
    const service = listener(port, 'is silent');
    const settled = { settleMs: 200, timeoutMs: 9_000 };
    expect(await start(manager, service, { ...settled, health: `tcp:${port}` })).to.include({
      outcome: 'ok',
    });
    const asked = await start(manager, service, { ...settled, timeoutMs: 2_000, health: `http:${port}/` });
    expect(asked).to.include({ outcome: 'unverified' });
    expect(asked['msg']).to.match(/no answer within \d(\.\d+)? s$/);
  });

  it('that is not in the configuration of the node is refused, and the service is not touched', async () => {
    const manager = await fleet({ web: '/bin/true' });
    const service = wellBehaved();
    const told = await start(manager, service, { health: 'exec:constructor' });
    expect(told).to.include({ outcome: 'refused', code: 'ACTION_NOT_ALLOWED' });
    expect(told['msg']).to.equal(
      'health check "constructor" is not in the configuration of this node, expected one of web',
    );
    expect(await service.runs()).to.deep.equal([]);
  });
});

async function fleet(health: Readonly<Record<string, string>>): Promise<RunningManager> {
  const manager = await startManager();
  await startAgent({ managers: [manager], sections: { health } });
  await manager.waitForSubscribers(1);
  return manager;
}

function listener(port: number, what: string): TestService {
  const command = `'${process.execPath}' '${lateListener}' ${port} '${what}'`;
  return scripted(`
is_there() { [ -s "$pidfile" ] && kill -0 "$(cat "$pidfile")" 2>/dev/null; }
case "$1" in
  start) is_there || { setsid ${command} </dev/null >/dev/null 2>&1 & echo "$!" >"$pidfile"; } ;;
  status) if is_there; then echo "$name is running"; else echo "$name is not running"; exit 3; fi ;;
esac`);
}

/** Sends the request as a client does that knows of health checks, and comes back for its end. */
async function start(
  { endpoints }: RunningManager,
  { name }: TestService,
  changes: Partial<RequestBody>,
): Promise<Told> {
  const bodies = message('body', 4_096, RequestBody.schema);
  const id = randomBytes(16).toString('hex');
  const body = bodies.parse({ id, cmd: 'start', topic: 'any', service: name, windowMs: 30_000, ...changes });
  const beganAt = performance.now();
  await exchange(endpoints.frontend, [[Buffer.alloc(0), sealRequest(body)]]);
  const args = ['requests', 'attach', id, '-e', endpoints.frontend, '--format', 'full'];
  const { stdout } = await runClient(args, { deadlineMs: 40_000 });
  const elapsedMs = performance.now() - beganAt;
  const document: unknown = JSON.parse(stdout);
  const [answer, outcome] = isObject(document)
    ? [first(document['results']), first(document['outcomes'])['outcome']]
    : [];
  const result = isObject(answer?.['result']) ? answer['result'] : {};
  return { ...answer, ...result, outcome, elapsedMs };
}

function first(list: unknown): JsonObject {
  const [one]: unknown[] = Array.isArray(list) ? list : [];
  if (!isObject(one)) throw new Error(`no first one in ${JSON.stringify(list)}`);
  return one;
}
