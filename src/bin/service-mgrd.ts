import { join, resolve } from 'node:path';
import process from 'node:process';
import { runDaemon } from '../cli/daemon.ts';
import { managerDescription } from '../cli/daemon-descriptions.ts';
import type { ConfigSource, Daemon } from '../cli/serve-until-stopped.ts';
import { managerKeysForRestart, readManagerConfig } from '../config/manager.ts';
import { Manager } from '../manager/manager.ts';
import { Closing } from '../platform/closing.ts';
import type { OpenLog } from '../platform/log.ts';
import { nodeClock } from '../platform/node/clock.ts';
import { NodeLauncher, starterOf } from '../platform/node/daemonize.ts';
import { nodeFiles } from '../platform/node/files.ts';
import { sha256 } from '../platform/node/hash.ts';
import { readHostFacts } from '../platform/node/host.ts';
import { newRequestId } from '../platform/node/ids.ts';
import { openLog } from '../platform/node/log.ts';
import { openNotify } from '../platform/node/notify.ts';
import { NodePidFiles } from '../platform/node/pid-file.ts';
import { onSignal, untilSignal } from '../platform/node/signals.ts';
import { NodeTerminal } from '../platform/node/terminal.ts';
import { ZmqSockets } from '../platform/zmq/sockets.ts';
import { lockFile } from '../store/process-lock.ts';
import { SqliteStore } from '../store/sqlite-store.ts';

const sockets = new ZmqSockets();

async function startManager(source: ConfigSource, log: OpenLog): Promise<Daemon> {
  const config = readManagerConfig(source.text, source.file);
  log.setLevel(config.logLevel);
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
    const deps = { sockets, clock: nodeClock, log, host, store, newId: newRequestId, sha256 };
    const manager = closing.add(await Manager.start(config, deps));
    return {
      finished: manager.finished,
      reload: async ({ text, file }) => {
        const next = readManagerConfig(text, file);
        log.setLevel(next.logLevel);
        manager.reconfigure(next);
        return managerKeysForRestart(config, next);
      },
      hasProgressed: () => manager.hasProgressed(),
      summary: () => `${manager.counters.agents} agents, ${manager.counters.openRequests} open requests`,
      close: () => closing.close(),
    };
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
    pidFiles: new NodePidFiles(lockFile),
    launcher: new NodeLauncher(),
    starter: starterOf(process),
    absolutePath: (path) => resolve(path),
    openLog,
    openNotify: (log) =>
      openNotify({
        environment: process.env,
        pid: process.pid,
        onTrouble: (reason) => log.warn('notify.failed', { reason }),
      }),
    untilSignal: () => untilSignal(['SIGTERM', 'SIGINT']),
    onHangup: (run) => onSignal('SIGHUP', run),
  },
);

// An unexpected error rejects, is shown by Node.js and ends the program with exit code 1.
exitCode.then((code) => process.exit(code));
