import type { DaemonDescription } from './daemon-options.ts';

export const managerDescription: DaemonDescription = {
  name: 'service-mgrd',
  summary: 'Service Manager: takes requests, sends them to the agents and publishes what they answer.',
  statusCommand: 'manager.status',
  shutdownCommand: 'manager.shutdown',
  managementEndpoint: 'tcp://localhost:5800',
};

export const agentDescription: DaemonDescription = {
  name: 'service-mgr-agentd',
  summary: 'Service Manager Agent: runs service(8) actions on this host for its managers.',
  statusCommand: 'agent.status',
  shutdownCommand: 'agent.shutdown',
  managementEndpoint: 'tcp://localhost:6000',
};
