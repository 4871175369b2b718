import { join } from 'node:path';
import process from 'node:process';
import { type ConfigSource, type Daemon, runDaemon } from '../cli/daemon.ts';
import { managerDescription } from '../cli/daemon-descriptions.ts';
import { readManagerConfig } from '../config/manager.ts';
import { Manager } from '../manager/manager.ts';
import { Closing } from '../platform/closing.ts';
import type { Log } from '../platform/log.ts';
import { nodeClock } from '../platform/node/clock.ts';
import { nodeFiles } from '../platform/node/files.ts';
import { readHostFacts } from '../platform/node/host.ts';
import { newRequestId } from '../platform/node/ids.ts';
import { openLog } from '../platform/node/log.ts';
import { untilSignal } from '../platform/node/signals.ts';
import { NodeTerminal } from '../platform/node/terminal.ts';
import { ZmqSockets } from '../platform/zmq/sockets.ts';
import { SqliteStore } from '../store/sqlite-store.ts';

const sockets = new ZmqSockets();

async function startManager(source: ConfigSource, log: Log): Promise<Daemon> {
  const config = readManagerConfig(source.text, source.file);
  nodeFiles.makeFolder(config.stateDir);
  const store = await SqliteStore.open({
    file: join(config.stateDir, 'manager.db'),
    nowWallMs: nodeClock.wallMs(),
    onSetAside: (reason, movedTo) => log.error('store.set_aside', { reason, movedTo }),
  });
  const closing = new Closing();
  closing.add(store);
  try {
    const host = readHostFacts();
    const deps = { sockets, clock: nodeClock, log, host, store, newId: newRequestId };
    const { finished } = closing.add(await Manager.start(config, deps));
    return { finished, close: () => closing.close() };
  } catch (error) {
    await closing.close();
    throw error;
  }
}

const exitCode = runDaemon(
  process.argv.slice(2),
  { ...managerDescription, start: startManager },
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
