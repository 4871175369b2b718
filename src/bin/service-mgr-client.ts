import process from 'node:process';
import { main } from '../cli/main.ts';
import { nodeClock } from '../platform/node/clock.ts';
import { nodeFiles } from '../platform/node/files.ts';
import { newRequestId } from '../platform/node/ids.ts';
import { NodeKeyFiles } from '../platform/node/key-files.ts';
import { NodeTerminal } from '../platform/node/terminal.ts';
import { readUser } from '../platform/node/user.ts';
import { ZmqSockets } from '../platform/zmq/sockets.ts';

const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort());
const { name: userName, configFolder } = readUser();

const exitCode = main(process.argv.slice(2), {
  terminal: new NodeTerminal(process),
  files: nodeFiles,
  keyFiles: new NodeKeyFiles(),
  ...{ userName, configFolder },
  interrupted: interrupt.signal,
  openClient: () => ({ sockets: new ZmqSockets(), clock: nodeClock, newId: newRequestId }),
  // The clock of Node.js counts from there.
  startedMs: 0,
});

// An unexpected error rejects, is shown by Node.js and ends the program with exit code 1.
exitCode.then((code) => process.exit(code));
