// A daemon as its launcher sees it. Its first argument says how its start goes.
import { writeFileSync } from 'node:fs';
import { starterOf } from '../../../src/platform/node/daemonize.ts';

const [how, file = ''] = process.argv.slice(2);
const starter = starterOf(process);
const alive = setInterval(() => {}, 60_000);

if (how === 'crashes') throw new Error('a bug of ours');
if (how === 'ends') process.exit(0);
if (how === 'kills-itself') process.kill(process.pid, 'SIGKILL');
if (how === 'fails') {
  await starter.failed('the port is taken');
  process.exit(71);
}
if (how === 'dawdles') {
  writeFileSync(file, `${process.pid}`);
  while (process.connected) await new Promise((resolve) => setTimeout(resolve, 10));
}
const isHeard = await starter.ready();
writeFileSync(file, JSON.stringify({ isHeard, cwd: process.cwd(), environment: process.env }));
if (!isHeard) clearInterval(alive);
