import { join } from 'node:path';
import process from 'node:process';
import { Agent } from '../agent/agent.ts';
import { runDaemon } from '../cli/daemon.ts';
import { readAgentConfig } from '../config/agent.ts';
import type { Log } from '../platform/log.ts';
import { nodeClock } from '../platform/node/clock.ts';
import { nodeFiles } from '../platform/node/files.ts';
import { readHostFacts } from '../platform/node/host.ts';
import { openLog } from '../platform/node/log.ts';
import { NodeProcesses } from '../platform/node/processes.ts';
import { untilSignal } from '../platform/node/signals.ts';
import { NodeTerminal } from '../platform/node/terminal.ts';
import { ZmqSockets } from '../platform/zmq/sockets.ts';
import { Service8 } from '../provider/service8.ts';

const sockets = new ZmqSockets();

function startAgent(
  { text, file }: { readonly text: string; readonly file: string },
  log: Log,
): Promise<Agent> {
  const config = readAgentConfig(text, file);
  const scratchDir = join(config.stateDir, 'output');
  nodeFiles.makeFolder(scratchDir);
  const host = readHostFacts();
  const provider = new Service8({
    processes: new NodeProcesses({ scratchDir }),
    program: config.serviceProgram,
    system: host.system,
    outputLimitBytes: config.outputLimitBytes,
  });
  return Agent.start(config, { sockets, clock: nodeClock, log, host, provider });
}

const exitCode = runDaemon(
  process.argv.slice(2),
  {
    name: 'service-mgr-agentd',
    summary: 'Service Manager Agent: runs service(8) actions on this host for its managers.',
    statusCommand: 'agent.status',
    shutdownCommand: 'agent.shutdown',
    managementEndpoint: 'tcp://localhost:6000',
    start: startAgent,
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
