// Launches another program in the background, and waits for it.
import { NodeLauncher } from '../../../src/platform/node/daemonize.ts';
import { program } from '../proc-files.ts';

const [how = '', file = '', logFile = ''] = process.argv.slice(2);
const command = [process.execPath, ...process.execArgv, program('is-launched.ts')];
await new NodeLauncher({ command }).launch([how, file], logFile);
