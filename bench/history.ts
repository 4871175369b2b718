// What a long history costs. Usage: npx tsx bench/history.ts [--variants] [--runs COUNT]
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Outcome } from '../src/core/outcome.ts';
import { SqliteStore } from '../src/store/sqlite-store.ts';
import type { Store } from '../src/store/store.ts';
import type { NodeName, RequestId } from '../src/wire/fields.ts';
import { listed } from '../test/fakes/stored-requests.ts';

interface Shape {
  readonly requests: number;
  readonly nodes: number;
  readonly payloadBytes: number;
}

const main: Shape = { requests: 1_000, nodes: 1_000, payloadBytes: 450 };
const variants: Shape[] = [
  { requests: 200, nodes: 5_000, payloadBytes: 450 },
  { requests: 200, nodes: 1_000, payloadBytes: 8_000 },
  { requests: 10_000, nodes: 100, payloadBytes: 450 },
  { requests: 10_204, nodes: 98, payloadBytes: 450 },
  { requests: 1_000_000, nodes: 1, payloadBytes: 450 },
];

const startMs = Date.UTC(2026, 0, 1);
const batchSize = 100;
const goalMs = 100;

const idOf = (request: number) => request.toString(16).padStart(32, '0') as RequestId;
const nodeOf = (node: number) => `web${String(node).padStart(4, '0')}.example.org` as NodeName;
// Only the oldest request has what is rare: whoever looks for it has to go all the way.
const rareNode = 'rare.example.org' as NodeName;
const outcomeOf = (request: number, node: number): Outcome => {
  if (request === 0 && node === 0) return 'interrupted';
  return (request + node) % 50 === 0 ? 'failed' : 'ok';
};

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

function timed(act: () => unknown): number {
  const startedMs = performance.now();
  act();
  return performance.now() - startedMs;
}

interface FillTimes {
  readonly openMs: number[];
  readonly saveMs: number[];
}

function fill(store: Store, { requests, nodes, payloadBytes }: Shape): FillTimes {
  const times: FillTimes = { openMs: [], saveMs: [] };
  const payload = Buffer.alloc(payloadBytes, 'x');
  for (let request = 0; request < requests; request += 1) {
    const id = idOf(request);
    const atWallMs = startMs + request * 1_000;
    const names = Array.from({ length: nodes }, (_, node) =>
      request === 0 && node === 0 ? rareNode : nodeOf(nodes === 1 ? request % 1_000 : node),
    );
    const entries = names.map(
      (node) => ({ node, phase: 'asked', outcome: undefined, isAnonymous: false }) as const,
    );
    times.openMs.push(timed(() => store.openRequest(openRequest(id, request, atWallMs), entries)));
    for (let first = 0; first < nodes; first += batchSize) {
      const batch = entries.slice(first, first + batchSize).map(
        (entry, index) =>
          ({
            ...entry,
            id,
            phase: 'done',
            outcome: outcomeOf(request, first + index),
            payload,
            atWallMs,
          }) as const,
      );
      times.saveMs.push(timed(() => store.saveAnswers(batch)));
    }
    store.updateRequest(id, { endedWallMs: atWallMs + 500 });
  }
  return times;
}

function openRequest(id: RequestId, request: number, openedWallMs: number) {
  return {
    id,
    form: 'v2',
    bodyBytes: Buffer.alloc(200, 'b'),
    signature: 'c'.repeat(88),
    action: 'status',
    topic: 'any',
    service: request === 0 ? 'rare' : `service${request % 20}`,
    openedWallMs,
    endsWallMs: openedWallMs + 5_000,
    endedWallMs: undefined,
    isCancelled: false,
    anonymous: 0,
    withheld: 0,
  } as const;
}

function questions(store: Store, { requests, nodes }: Shape): Record<string, () => unknown> {
  const limit = 50;
  const someId = idOf(Math.floor(requests / 2));
  const sinceWallMs = startMs + (requests - 5) * 1_000;
  return {
    list: () => listed(store, { limit }),
    'list, 1000 of them': () => listed(store, { limit: 1_000 }),
    'list by node': () => listed(store, { node: nodeOf(Math.min(7, nodes)), limit }),
    'list by a rare node': () => listed(store, { node: rareNode, limit }),
    'list by an unknown node': () => listed(store, { node: 'unknown', limit }),
    'list by service': () => listed(store, { service: 'service7', limit }),
    'list by a rare service': () => listed(store, { service: 'rare', limit }),
    'list by outcome': () => listed(store, { outcome: 'failed', limit }),
    'list by a rare outcome': () => listed(store, { outcome: 'interrupted', limit }),
    'list since': () => listed(store, { sinceWallMs, limit }),
    'list by node, service, outcome, since': () =>
      listed(store, { node: nodeOf(7), service: 'service7', outcome: 'failed', sinceWallMs: startMs, limit }),
    'show: request, entries': () => [store.request(someId), store.entries(someId)],
    'show: answers': () => store.answers(someId, { limit: 10_000, maxBytes: Infinity }),
    unfinished: () => store.unfinished(sinceWallMs),
  };
}

function say(name: string, value: string): void {
  process.stdout.write(`  ${name.padEnd(40)} ${value}\n`);
}

async function measure(shape: Shape, runs: number): Promise<void> {
  const { requests, nodes, payloadBytes } = shape;
  const folder = mkdtempSync(join(tmpdir(), 'service-mgr-history-'));
  const file = join(folder, 'manager.db');
  const open = () => SqliteStore.open({ file, nowWallMs: startMs, onSetAside: () => {} });
  try {
    let store = await open();
    process.stdout.write(`${requests} requests, ${nodes} nodes each, ${payloadBytes} bytes an answer\n`);
    const { openMs, saveMs } = fill(store, shape);
    const perSecond = (requests * nodes * 1_000) / saveMs.reduce((sum, ms) => sum + ms, 0);
    say('open a request', `${median(openMs).toFixed(2)} ms`);
    say(`save ${Math.min(nodes, batchSize)} answers`, `${median(saveMs).toFixed(2)} ms`);
    say('answers a second, all in all', Math.round(perSecond).toString());
    store.close();
    const openAgainMs = performance.now();
    store = await open();
    say('open the file', `${(performance.now() - openAgainMs).toFixed(1)} ms`);
    say('file', `${Math.round(statSync(file).size / 2 ** 20)} MiB`);
    for (const [name, ask] of Object.entries(questions(store, shape))) {
      const times = Array.from({ length: runs }, () => timed(ask));
      const ms = median(times);
      const slowest = Math.max(...times).toFixed(2);
      say(name, `${ms.toFixed(2)} ms (slowest ${slowest})${ms < goalMs ? '' : '  GOAL MISSED'}`);
    }
    const bounds = { maxAgeMs: Infinity, maxRequests: 1, maxBytes: Infinity };
    const pruneMs = Array.from({ length: runs }, () => timed(() => store.prune(bounds, startMs, 1)));
    say('prune one request', `${median(pruneMs).toFixed(2)} ms`);
    store.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const { values } = parseArgs({
  options: { variants: { type: 'boolean' }, runs: { type: 'string', default: '15' } },
});
for (const shape of values.variants ? [main, ...variants] : [main]) await measure(shape, Number(values.runs));
