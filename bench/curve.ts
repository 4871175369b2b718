// What security costs, and what strangers can do. Usage: npx tsx bench/curve.ts [--runs COUNT]
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Socket } from '../src/platform/sockets.ts';
import { ZmqSockets } from '../src/platform/zmq/sockets.ts';
import { type Child, source, startChild, stopChildren } from './children.ts';
import { clientOf, newHexKeys } from './curve-keys.ts';

const questionBytes = 300;
const roundTrips = 2_000;
const messages = 20_000;
const floodMs = 10_000;

const server = newHexKeys();
const nextServer = newHexKeys();
const client = newHexKeys();
const sockets = new ZmqSockets();

/** A question at a time, or many, and what came back. */
class Asker {
  readonly socket: Socket;
  readonly #came: AsyncIterator<Buffer[]>;

  constructor(socket: Socket) {
    this.socket = socket;
    this.#came = socket[Symbol.asyncIterator]();
  }

  async ask(question: Buffer): Promise<Buffer> {
    this.socket.send([question]);
    return this.next();
  }

  async next(): Promise<Buffer> {
    const { value } = await this.#came.next();
    return value[0];
  }

  async askAll(question: Buffer, count: number): Promise<void> {
    for (let sent = 0; sent < count; sent += 1) this.socket.send([question]);
    for (let came = 0; came < count; came += 1) await this.next();
  }
}

function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
}

async function startEcho(keys: readonly object[]): Promise<string> {
  const child = startChild([...source('curve-echo.ts'), JSON.stringify(keys), client.publicKey]);
  return child.nextLine();
}

const question = Buffer.alloc(questionBytes, 'x');

async function roundTripTimes(asker: Asker, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let trip = 0; trip < count; trip += 1) {
    const startedMs = performance.now();
    await asker.ask(question);
    times.push(performance.now() - startedMs);
  }
  return times;
}

async function messagesPerSecond(asker: Asker): Promise<number> {
  const startedMs = performance.now();
  await asker.askAll(question, messages);
  return (messages / (performance.now() - startedMs)) * 1_000;
}

/** From no socket to the first answer. */
async function connectTime(endpoint: string, options: object): Promise<number> {
  const startedMs = performance.now();
  const asker = new Asker(sockets.connectDealer(endpoint, options));
  await asker.ask(question);
  const elapsedMs = performance.now() - startedMs;
  await asker.socket.close();
  return elapsedMs;
}

interface Measured {
  readonly name: string;
  readonly endpoint: string;
  readonly options: object;
  readonly asker: Asker;
  readonly trips: number[];
  readonly rates: number[];
  readonly connects: number[];
}

async function measured(name: string, keys: readonly object[], options: object): Promise<Measured> {
  const endpoint = await startEcho(keys);
  const asker = new Asker(sockets.connectDealer(endpoint, options));
  return { name, endpoint, options, asker, trips: [], rates: [], connects: [] };
}

async function measure({ endpoint, options, asker, trips, rates, connects }: Measured): Promise<void> {
  trips.push(median(await roundTripTimes(asker, roundTrips)));
  rates.push(await messagesPerSecond(asker));
  const times: number[] = [];
  for (let time = 0; time < 20; time += 1) times.push(await connectTime(endpoint, options));
  connects.push(median(times));
}

async function compare(runs: number): Promise<void> {
  const both = [
    await measured('without security', [], {}),
    await measured('with CURVE', [server], { security: clientOf(client, server) }),
  ];
  for (let run = 0; run <= runs; run += 1)
    for (const kind of run % 2 === 0 ? both : both.toReversed()) await measure(kind);
  for (const { name, trips, rates, connects, asker } of both) {
    // The first run warms up.
    const [trip, rate, connect] = [trips, rates, connects].map((values) => median(values.slice(1)));
    print(
      `${name}: round trip ${trip?.toFixed(3)} ms, ${rate?.toFixed(0)} messages/s there and back, ` +
        `connect to first answer ${connect?.toFixed(2)} ms`,
    );
    await asker.socket.close();
  }
}

/** Beside another server of its own, the flood costs this one nothing but the processor that they share. */
async function measureFlood(kind: string, isBeside: boolean): Promise<void> {
  const endpoint = await startEcho([server]);
  const target = isBeside ? await startEcho([server]) : endpoint;
  const security = clientOf(client, server);
  const asker = new Asker(sockets.connectDealer(endpoint, { security }));
  await roundTripTimes(asker, roundTrips);
  const before = await calm(asker, endpoint, security);
  const flood: Child = startChild([...source('curve-flood.ts'), kind, target, JSON.stringify([server])]);
  await flood.nextLine();
  await sleep(1_000);
  const residents: number[] = [];
  const trips: number[] = [];
  const connects: number[] = [];
  for (const endsAt = performance.now() + floodMs; performance.now() < endsAt; ) {
    trips.push(...(await roundTripTimes(asker, 200)));
    connects.push(await connectTime(endpoint, { security }));
    residents.push((await reportOf(asker)).residentBytes);
    await sleep(50);
  }
  const { refused } = await reportOf(asker);
  const inMiB = residents.map((bytes) => (bytes / 1024 / 1024).toFixed(0));
  print(
    `flood of ${kind}${isBeside ? ' beside it' : ''}: round trip ${median(before.trips).toFixed(3)} ms before, ${median(trips).toFixed(3)} ms during ` +
      `(p99 ${percentile(trips, 0.99).toFixed(2)}); connect ${median(before.connects).toFixed(2)} ms before, ` +
      `${median(connects).toFixed(2)} during (p99 ${percentile(connects, 0.99).toFixed(2)}); server at ` +
      `${inMiB[0]} MiB, half way ${inMiB[inMiB.length >> 1]}, at the end ${inMiB.at(-1)}; ${JSON.stringify(refused)}`,
  );
  await asker.socket.close();
}

async function calm(asker: Asker, endpoint: string, security: object) {
  const trips: number[] = [];
  const connects: number[] = [];
  for (let round = 0; round < 20; round += 1) {
    trips.push(...(await roundTripTimes(asker, 200)));
    connects.push(await connectTime(endpoint, { security }));
    await sleep(50);
  }
  return { trips, connects };
}

async function reportOf(asker: Asker): Promise<{ residentBytes: number; refused: object }> {
  return JSON.parse(String(await asker.ask(Buffer.from('memory'))));
}

async function measureRotation(runs: number): Promise<void> {
  const keys = [server, nextServer];
  const endpoint = await startEcho(keys);
  const asker = new Asker(sockets.connectDealer(endpoint, { security: clientOf(client, ...keys) }));
  await asker.ask(question);
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    await asker.ask(Buffer.from('rekey'));
    const startedMs = performance.now();
    // Numbered, and repeated, because one may be lost with the connection that breaks.
    const again = setInterval(() => asker.socket.send([Buffer.from(`after ${run}`)]), 20);
    while (!(await asker.next()).equals(Buffer.from(`after ${run}`)));
    clearInterval(again);
    times.push(performance.now() - startedMs);
    await sleep(500);
  }
  print(
    `key changed at the server: next answer after ${median(times).toFixed(0)} ms (max ${percentile(times, 1).toFixed(0)})`,
  );
  await asker.socket.close();
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

const { values } = parseArgs({ options: { runs: { type: 'string', default: '11' } } });
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs: expected a whole number from 1');
try {
  await compare(runs);
  for (const kind of ['tcp', 'keys']) {
    for (const isBeside of [true, false]) {
      await measureFlood(kind, isBeside);
      await stopChildren();
    }
  }
  await measureRotation(runs);
} finally {
  await stopChildren();
  await sockets.close();
}
