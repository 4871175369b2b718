// Takes the pid file that it is given, says how that went, and holds it until it is told to end or is killed.
import { NodePidFiles } from '../../../src/platform/node/pid-file.ts';
import { lockFile } from '../../../src/store/process-lock.ts';

const [path = ''] = process.argv.slice(2);
try {
  const held = await new NodePidFiles(lockFile).take(path);
  process.once('SIGTERM', () => {
    held.close();
    process.exit(0);
  });
  setInterval(() => {}, 60_000);
  process.stdout.write('held\n');
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : error}\n`);
}
