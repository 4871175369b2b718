// Says which signal came first, and then works for ever.
import { untilSignal } from '../../../src/platform/node/signals.ts';

setInterval(() => {}, 60_000);
const stopping = untilSignal(['SIGTERM', 'SIGINT']);
process.stdout.write('ready\n');
process.stdout.write(`${await stopping}\n`);
