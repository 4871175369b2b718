import type { ManagerHome } from '../cli/daemon-home.ts';
import type { ConfigSource } from '../cli/serve-until-stopped.ts';
import { readManagerConfig } from '../config/manager.ts';
import { readHostFacts } from '../platform/node/host.ts';
import type { NodeName } from '../wire/fields.ts';
import { policyHome } from './daemon-platform.ts';
import { managerKeyFiles } from './manager-security.ts';

/** What holds where there is no file; its endpoints are not looked at. */
const usual: ConfigSource = {
  file: 'the built-in defaults',
  text: `[Default]
frontend_endpoint = tcp://127.0.0.1:5500
backend_endpoint = tcp://127.0.0.1:5600
sink_endpoint = tcp://127.0.0.1:5700
mgmt_endpoint = tcp://127.0.0.1:5800
`,
};

export function openManagerHome({ text, file }: ConfigSource = usual): ManagerHome {
  const config = readManagerConfig(text, file);
  const { mode, name, policyFile } = config.security;
  const keys = managerKeyFiles(config);
  return {
    keys,
    name: name ?? (readHostFacts().hostname as NodeName),
    ownKeys: () => (mode === 'none' || !keys.hasKeys ? undefined : keys.loadCurrent().curve),
    policy: policyHome(policyFile),
    audit: undefined,
  };
}
