// Waits for its standard input to end, logs to a standard error that nobody reads any more, and says that it survived.
import { openLog } from '../../../src/platform/node/log.ts';

const log = openLog({ name: 'test', debug: false });
process.stdin.resume();
process.stdin.on('end', () => {
  for (let line = 0; line < 3; line += 1) log.info('still.here', { line });
  log.close();
  setImmediate(() => process.stdout.write('survived\n'));
});
