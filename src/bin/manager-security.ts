import { join } from 'node:path';
import { securityModeOf } from '../config/exposure.ts';
import type { ManagerConfig } from '../config/manager.ts';
import { readPolicyFile } from '../config/policy-file.ts';
import type { ManagerSecurity } from '../manager/gatehouse.ts';
import type { Log } from '../platform/log.ts';
import { nodeClock } from '../platform/node/clock.ts';
import { newTokenSecrets } from '../platform/node/ids.ts';
import { fingerprintOf } from '../security/fingerprint.ts';
import { tokenIdBytes, tokenSecretBytes } from '../security/join-token.ts';
import { keyFileTime, newSecretKeys, publicPartOf } from '../security/key-file.ts';
import { newCurveKeys } from '../security/keys.ts';
import { ManagerKeyFiles } from '../store/manager-key-files.ts';
import type { SqliteStore } from '../store/sqlite-store.ts';
import type { NodeName } from '../wire/fields.ts';
import { keyFiles } from './daemon-platform.ts';

/** The user that the package makes for the manager. */
const managerUser = 'service-mgr';

export function managerKeyFiles({
  security,
  stateDir,
}: Pick<ManagerConfig, 'security' | 'stateDir'>): ManagerKeyFiles {
  const keyFile = security.keyFile ?? join(stateDir, 'manager.key');
  return new ManagerKeyFiles({ files: keyFiles, keyFile, owner: managerUser });
}

/**
 * What the manager has of security, with keys that are made now where it has none yet; undefined: it is to have none.
 * Throws BAD_CONFIG.
 */
export function openManagerSecurity(
  config: ManagerConfig,
  fileName: string,
  hostName: string,
  store: SqliteStore,
  log: Log,
): ManagerSecurity | undefined {
  const { security } = config;
  const files = managerKeyFiles(config);
  const mode = securityModeOf({ ...security, hasKeys: files.hasKeys }, endpointsOf(config), fileName, remedy);
  if (mode === 'none') return undefined;
  const name = security.name ?? (hostName as NodeName);
  if (!files.hasKeys) makeKeys(files, name, log);
  const keys = files.load(store);
  const keeper = {
    keepNext: (...[next, switchesWallMs]: Parameters<ManagerSecurity['keeper']['keepNext']>) =>
      files.keepNext(next, keyFileTime(nodeClock.wallMs()), switchesWallMs, store),
    promoteNext: () => files.promoteNext(),
  };
  const { requestsPerSecond, openRequests, maxPending, maxConnections, joinEndpoint } = security;
  return {
    ...{ name, keys, keeper, store, maxPending, maxConnections, joinEndpoint, newCurveKeys },
    limits: { requestsPerSecond, openRequests },
    policy: readPolicyFile(keyFiles, security.policyFile),
    newToken: () => newTokenSecrets(tokenIdBytes, tokenSecretBytes),
  };
}

const remedy = 'service-mgrd keys init';

function makeKeys(files: ManagerKeyFiles, name: NodeName, log: Log): void {
  const keys = newSecretKeys('manager', name, nodeClock.wallMs());
  files.create(keys);
  log.info('key.created', { name, fingerprint: fingerprintOf(publicPartOf(keys).keys) });
}

/** Those that others reach, by their keys in the file. */
function endpointsOf(config: ManagerConfig): Readonly<Record<string, readonly string[]>> {
  return {
    frontend_endpoint: [config.frontendEndpoint],
    backend_endpoint: [config.backendEndpoint],
    sink_endpoint: [config.sinkEndpoint],
    mgmt_endpoint: [config.mgmtEndpoint],
    publisher_endpoint: [config.publisherEndpoint],
  };
}
