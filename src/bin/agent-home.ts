import type { AgentHome } from '../cli/daemon-home.ts';
import type { ConfigSource } from '../cli/serve-until-stopped.ts';
import { readAgentConfig } from '../config/agent.ts';
import { fromThisHost } from '../config/exposure.ts';
import { readHostFacts } from '../platform/node/host.ts';
import type { NodeName } from '../wire/fields.ts';
import { agentKeyFolder } from './agent-security.ts';
import { auditHome, fileHeadsIn } from './audit-log.ts';
import { policyHome } from './daemon-platform.ts';

/** What holds where there is no file. */
const usual: ConfigSource = {
  file: 'the built-in defaults',
  text: '[Default]\nmgmt_endpoint = tcp://localhost:6000\n',
};

export function openAgentHome({ text, file }: ConfigSource = usual): AgentHome {
  const config = readAgentConfig(text, file);
  const { stateDir, mgmtEndpoint, security } = config;
  const { mode, policyFile } = security;
  const folder = agentKeyFolder(config);
  return {
    folder,
    managementEndpoint: fromThisHost(mgmtEndpoint),
    name: config.nodeName ?? (readHostFacts().hostname as NodeName),
    // Without a manager that it has joined it has nobody to be secure with.
    ownKeys: () => (mode === 'none' || folder.managers().length === 0 ? undefined : folder.load()?.curve),
    policy: policyHome(policyFile, config.extraActions),
    audit: auditHome(security, stateDir, async () => fileHeadsIn(stateDir).load()),
  };
}
