import { join } from 'node:path';
import process from 'node:process';
import { managerDescription } from '../cli/daemon-descriptions.ts';
import type { ConfigSource, Daemon } from '../cli/serve-until-stopped.ts';
import { managerKeysForRestart, readManagerConfig } from '../config/manager.ts';
import { readPolicyFile } from '../config/policy-file.ts';
import { Manager } from '../manager/manager.ts';
import { Closing } from '../platform/closing.ts';
import type { OpenLog } from '../platform/log.ts';
import { nodeClock } from '../platform/node/clock.ts';
import { nodeFiles } from '../platform/node/files.ts';
import { sha256 } from '../platform/node/hash.ts';
import { readHostFacts } from '../platform/node/host.ts';
import { newRequestId } from '../platform/node/ids.ts';
import { SettingHeads } from '../store/audit-heads.ts';
import { SqliteStore } from '../store/sqlite-store.ts';
import { openAuditLog } from './audit-log.ts';
import { keyFiles, runAsProcess, sockets } from './daemon-platform.ts';
import { openManagerHome } from './manager-home.ts';
import { openManagerSecurity } from './manager-security.ts';

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
    const audit = openAuditLog(config.security, config.stateDir, new SettingHeads(store), log);
    if (audit !== undefined) closing.add(audit);
    const security = openManagerSecurity(config, source.file, host.hostname, store, log);
    const ids = { pid: process.pid, newId: newRequestId };
    const named = { host, ...ids, store, sha256, security, audit };
    const manager = closing.add(await Manager.start(config, { sockets, clock: nodeClock, log, ...named }));
    return {
      finished: manager.finished,
      isSecure: security !== undefined,
      reload: async ({ text, file }) => {
        const next = readManagerConfig(text, file);
        const policy = readPolicyFile(keyFiles, next.security.policyFile);
        log.setLevel(next.logLevel);
        manager.reconfigure({ history: next.history, limits: next.security, policy });
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

runAsProcess({ ...managerDescription, start: startManager, openHome: openManagerHome });
