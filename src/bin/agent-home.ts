import { join } from 'node:path';
import type { AgentHome } from '../cli/daemon-home.ts';
import type { ConfigSource } from '../cli/serve-until-stopped.ts';
import { type AgentConfig, readAgentConfig } from '../config/agent.ts';
import { fromThisHost } from '../config/exposure.ts';
import { nodeFiles } from '../platform/node/files.ts';
import { NodeProcesses } from '../platform/node/processes.ts';
import type { ProviderResult } from '../provider/provider.ts';
import type { ActionName, ServiceName } from '../wire/fields.ts';
import { agentKeyFolder, nodeNameOf } from './agent-security.ts';
import { auditHome, fileHeadsIn } from './audit-log.ts';
import { policyHome } from './daemon-platform.ts';
import { openHostServices } from './host-services.ts';

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
    name: nodeNameOf(config),
    // Without a manager that it has joined it has nobody to be secure with.
    ownKeys: () => (mode === 'none' || folder.managers().length === 0 ? undefined : folder.load()?.curve),
    policy: policyHome(policyFile, config.extraActions),
    audit: auditHome(security, stateDir, async () => fileHeadsIn(stateDir).load()),
    restart: () => restartAgent(config),
  };
}

const agentService = 'service-mgr-agentd' as ServiceName;
const restart = 'restart' as ActionName;
const startTimeoutMs = 60_000;

async function restartAgent(config: AgentConfig): Promise<ProviderResult> {
  const scratchDir = join(config.stateDir, 'output');
  nodeFiles.makeFolder(scratchDir);
  const processes = new NodeProcesses({ scratchDir });
  try {
    const { provider } = openHostServices(config, processes);
    return await provider.run(agentService, restart, { timeoutMs: startTimeoutMs });
  } finally {
    processes.close();
  }
}
