import process from 'node:process';
import { runDaemon } from '../cli/daemon.ts';
import { readManagerConfig } from '../config/manager.ts';
import { Manager } from '../manager/manager.ts';
import { nodeClock } from '../platform/node/clock.ts';
import { nodeFiles } from '../platform/node/files.ts';
import { readHostFacts } from '../platform/node/host.ts';
import { newRequestId } from '../platform/node/ids.ts';
import { openLog } from '../platform/node/log.ts';
import { untilSignal } from '../platform/node/signals.ts';
import { NodeTerminal } from '../platform/node/terminal.ts';
import { ZmqSockets } from '../platform/zmq/sockets.ts';

const sockets = new ZmqSockets();

const exitCode = runDaemon(
  process.argv.slice(2),
  {
    name: 'service-mgrd',
    summary: 'Service Manager: takes requests, sends them to the agents and publishes what they answer.',
    statusCommand: 'manager.status',
    shutdownCommand: 'manager.shutdown',
    managementEndpoint: 'tcp://localhost:5800',
    start: ({ text, file }, log) =>
      Manager.start(readManagerConfig(text, file), {
        sockets,
        log,
        clock: nodeClock,
        host: readHostFacts(),
        newId: newRequestId,
      }),
  },
  {
    terminal: new NodeTerminal(process),
    files: nodeFiles,
    clock: nodeClock,
    sockets,
    openLog,
    untilSignal: () => untilSignal(['SIGTERM', 'SIGINT']),
  },
);

// An unexpected error rejects, is shown by Node.js and ends the program with exit code 1.
exitCode.then((code) => process.exit(code));
