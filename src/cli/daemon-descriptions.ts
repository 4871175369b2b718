import { addJoin } from './daemon-commands/agent-join.ts';
import { addAgentKeys } from './daemon-commands/agent-keys.ts';
import { addAudit } from './daemon-commands/audit.ts';
import { addManagerKeys } from './daemon-commands/manager-keys.ts';
import { addPolicy, addPolicyCheck, addPolicyTest } from './daemon-commands/policy.ts';
import { addTokens } from './daemon-commands/tokens.ts';
import type { AgentHome, ManagerHome } from './daemon-home.ts';
import type { DaemonDescription } from './daemon-options.ts';

export const managerDescription: DaemonDescription<ManagerHome> = {
  name: 'service-mgrd',
  summary: 'Service Manager: takes requests, sends them to the agents and publishes what they answer.',
  statusCommand: 'manager.status',
  shutdownCommand: 'manager.shutdown',
  addCommands(program, choose) {
    addManagerKeys(program, choose);
    addTokens(program, choose);
    const policy = addPolicy(program);
    addPolicyTest(policy, choose);
    addPolicyCheck(policy, choose);
    addAudit(program, choose, 'manager.audit.head');
  },
};

export const agentDescription: DaemonDescription<AgentHome> = {
  name: 'service-mgr-agentd',
  summary: 'Service Manager Agent: runs service(8) actions on this host for its managers.',
  statusCommand: 'agent.status',
  shutdownCommand: 'agent.shutdown',
  addCommands(program, choose) {
    addJoin(program, choose);
    addAgentKeys(program, choose);
    addPolicyCheck(addPolicy(program), choose);
    addAudit(program, choose, 'agent.audit.head');
  },
};
