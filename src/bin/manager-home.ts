import { join } from 'node:path';
import type { ManagerHome } from '../cli/daemon-home.ts';
import type { ConfigSource } from '../cli/serve-until-stopped.ts';
import { fromThisHost } from '../config/exposure.ts';
import { readManagerConfig } from '../config/manager.ts';
import { nodeClock } from '../platform/node/clock.ts';
import { nodeFiles } from '../platform/node/files.ts';
import { readHostFacts } from '../platform/node/host.ts';
import type { AuditHead } from '../security/audit-chain.ts';
import { SettingHeads } from '../store/audit-heads.ts';
import { SqliteStore } from '../store/sqlite-store.ts';
import { ServiceManagerError } from '../wire/errors.ts';
import type { NodeName } from '../wire/fields.ts';
import { auditHome } from './audit-log.ts';
import { policyHome } from './daemon-platform.ts';
import { managerKeyFiles } from './manager-security.ts';

/** What holds where there is no file. */
const usual: ConfigSource = {
  file: 'the built-in defaults',
  text: `[Default]
frontend_endpoint = tcp://127.0.0.1:5500
backend_endpoint = tcp://127.0.0.1:5600
sink_endpoint = tcp://127.0.0.1:5700
mgmt_endpoint = tcp://localhost:5800
`,
};

export function openManagerHome({ text, file }: ConfigSource = usual): ManagerHome {
  const config = readManagerConfig(text, file);
  const { stateDir, mgmtEndpoint, security } = config;
  const { mode, name, policyFile, joinEndpoint } = security;
  const keys = managerKeyFiles(config);
  return {
    ...{ keys, joinEndpoint },
    managementEndpoint: fromThisHost(mgmtEndpoint),
    name: name ?? (readHostFacts().hostname as NodeName),
    ownKeys: () => (mode === 'none' || !keys.hasKeys ? undefined : keys.loadCurrent().curve),
    policy: policyHome(policyFile),
    audit: auditHome(security, stateDir, () => storedHead(join(stateDir, 'manager.db'))),
  };
}

/** The daemon does not run, or this is refused: its database is for one program at a time. */
async function storedHead(file: string): Promise<AuditHead | undefined> {
  if (!nodeFiles.exists(file)) return undefined;
  const store = await SqliteStore.open({
    file,
    nowWallMs: nodeClock.wallMs(),
    // A new one is for the daemon to make: root's would not be its own.
    onSetAside: (reason, movedTo) => {
      throw new ServiceManagerError('STORE_UNUSABLE', `${file}: damaged (${reason}), and now at ${movedTo}`);
    },
  });
  try {
    return new SettingHeads(store).load();
  } finally {
    store.close();
  }
}
