import { join } from 'node:path';
import { managerDescription } from '../cli/daemon-descriptions.ts';
import type { ConfigSource, Daemon } from '../cli/serve-until-stopped.ts';
import { managerKeysForRestart, readManagerConfig } from '../config/manager.ts';
import { Manager } from '../manager/manager.ts';
import { Closing } from '../platform/closing.ts';
import type { OpenLog } from '../platform/log.ts';
import { nodeClock } from '../platform/node/clock.ts';
import { nodeFiles } from '../platform/node/files.ts';
import { sha256 } from '../platform/node/hash.ts';
import { readHostFacts } from '../platform/node/host.ts';
import { newRequestId } from '../platform/node/ids.ts';
import { SqliteStore } from '../store/sqlite-store.ts';
import { runAsProcess, sockets } from './daemon-platform.ts';

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

runAsProcess({ ...managerDescription, start: startManager });
