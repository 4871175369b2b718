// Usage: npm run fuzz -- [--seconds COUNT] [--inputs COUNT] [--seed NUMBER]
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { doors } from './doors.ts';
import { Fuzz, longestCallMs } from './fuzz.ts';

const wholeRun = 10_000_000;
const mostGrowthBytes = 16 * 1024 * 1024;
const warmUpInputs = 100_000;

const { values } = parseArgs({
  options: { seconds: { type: 'string' }, inputs: { type: 'string' }, seed: { type: 'string' } },
});
const mostInputs = values.inputs === undefined ? Infinity : count('inputs', values.inputs);
const seconds = count('seconds', values.seconds ?? (values.inputs === undefined ? '60' : '86400'));
const seed = count('seed', values.seed ?? String(Date.now() % 2 ** 31));

function count(name: string, text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new Error(`option --${name} is "${text}", expected a number`);
}

// Most inputs are refused, and nobody reads where.
Error.stackTraceLimit = 0;
setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

const fuzz = new Fuzz(doors, seed);
const startedMs = performance.now();
const endMs = startedMs + seconds * 1_000;
const isOver = () => fuzz.isStopped || fuzz.inputs >= mostInputs || performance.now() >= endMs;

print(`seed ${seed}, ${doors.length} doors`);
// What is compiled and kept at first is no leak.
while (fuzz.inputs < warmUpInputs && !isOver()) await fuzz.round();
const heapBefore = heapBytes();
while (!isOver()) await fuzz.round();
const growthBytes = heapBytes() - heapBefore;

const tookSeconds = (performance.now() - startedMs) / 1_000;
const perSecond = fuzz.inputs / tookSeconds;
const { door, ms, bytes } = fuzz.slowest;
print(`${fuzz.inputs} inputs in ${tookSeconds.toFixed(1)} s, ${Math.round(perSecond)} a second`);
print(`${wholeRun} inputs take ${Math.round(wholeRun / perSecond)} s`);
print(`slowest call: ${ms.toFixed(1)} ms (${door}, ${bytes} bytes), at most ${longestCallMs} ms`);
print(`heap: ${(growthBytes / 1_048_576).toFixed(1)} MiB more than after the first inputs, at most 16 MiB`);
for (const trouble of fuzz.troubles) print(`${trouble.door}: ${trouble.what}\n  ${trouble.input}`);
const isGood = fuzz.troubles.length === 0 && growthBytes <= mostGrowthBytes;
print(isGood ? 'good' : 'bad');
process.exitCode = isGood ? 0 : 1;
