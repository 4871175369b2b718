// An agent in miniature: runs one program through NodeProcesses, says 'started' and 'ended', and stays until it is killed.
// usage: SCRATCHDIR FILE ARGUMENT...
import { NodeProcesses } from '../../../src/platform/node/processes.ts';

const [scratchDir = '', file = '', ...args] = process.argv.slice(2);
const processes = new NodeProcesses({ scratchDir });
const run = processes.run(file, args, { timeoutMs: 60_000, killAfterMs: 1_000, outputLimitBytes: 1_000 });
process.stdout.write('started\n');
await run;
process.stdout.write('ended\n');
setInterval(() => {}, 60_000);
