import type { AgentHome } from '../cli/daemon-home.ts';
import type { ConfigSource } from '../cli/serve-until-stopped.ts';
import { readAgentConfig } from '../config/agent.ts';
import { readHostFacts } from '../platform/node/host.ts';
import { FileHeads } from '../store/audit-heads.ts';
import type { NodeName } from '../wire/fields.ts';
import { agentKeyFolder } from './agent-security.ts';
import { auditHome, keyFiles, policyHome } from './daemon-platform.ts';

/** What holds where there is no file; its endpoint is not looked at. */
const usual: ConfigSource = {
  file: 'the built-in defaults',
  text: '[Default]\nmgmt_endpoint = tcp://127.0.0.1:6000\n',
};

export function openAgentHome({ text, file }: ConfigSource = usual): AgentHome {
  const config = readAgentConfig(text, file);
  const { stateDir } = config;
  const { mode, policyFile, isAudited } = config.security;
  const folder = agentKeyFolder(config);
  return {
    folder,
    name: config.nodeName ?? (readHostFacts().hostname as NodeName),
    // Without a manager that it has joined it has nobody to be secure with.
    ownKeys: () => (mode === 'none' || folder.managers().length === 0 ? undefined : folder.load()?.curve),
    policy: policyHome(policyFile, config.extraActions),
    audit: isAudited
      ? auditHome(stateDir, async (file) => new FileHeads(keyFiles, `${file}.head`).load())
      : undefined,
  };
}
