import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentDoor } from './agent-door.ts';
import type { BareEndpoints } from './bare-client.ts';
import { built, freeEndpoints, source, startChild } from './children.ts';

export interface Fleet {
  readonly frontend: string;
  /** Of a client that asks this fleet. */
  readonly configFile: string;
}

const startDeadlineMs = 10_000;
const pollMs = 50;

/** The manager as it is installed and one agent with a no-op provider, each in its own process. */
export async function startFleet(folder: string): Promise<Fleet> {
  const [frontend = '', backend = '', sink = '', publisher = '', mgmt = ''] = await freeEndpoints(5);
  const managerConfig = writeConfig(folder, 'service-mgrd', {
    frontend_endpoint: frontend,
    backend_endpoint: backend,
    sink_endpoint: sink,
    publisher_endpoint: publisher,
    mgmt_endpoint: mgmt,
    state_dir: join(folder, 'state'),
  });
  startChild([built('service-mgrd'), '-f', managerConfig, '-o', join(folder, 'manager.log'), 'start']);
  const agent = startChild([...source('noop-agent.ts'), backend, sink, join(folder, 'agent.log')]);
  await agent.nextLine();
  await untilAgent(mgmt);
  return { frontend, configFile: writeConfig(folder, 'service-mgr-client', { endpoint: frontend }) };
}

/** The agent as it is installed, on the service(8) of this host, with nobody but this process to ask it. */
export async function startServiceAgent(folder: string): Promise<AgentDoor> {
  const door = new AgentDoor();
  const { backend, sink } = await door.open();
  const config = writeConfig(folder, 'service-mgr-agentd', {
    ...{ manager_endpoint: backend, sink_endpoint: sink, mgmt_endpoint: 'tcp://127.0.0.1:*' },
    ...{ state_dir: join(folder, 'agent-state'), provider: 'service' },
  });
  startChild([built('service-mgr-agentd'), '-f', config, '-o', join(folder, 'agentd.log'), 'start']);
  await door.agentIsThere();
  return door;
}

/** The same number of processes and sockets with nothing of ours between them. */
export async function startBareFleet(): Promise<BareEndpoints> {
  const manager = startChild(source('bare-manager.ts'));
  const endpoints: BareEndpoints = JSON.parse(await manager.nextLine());
  startChild([...source('bare-agent.ts'), endpoints.backend, endpoints.sink]);
  await manager.nextLine();
  return endpoints;
}

/** Nothing but the manager itself can tell that the agent's subscriptions have arrived. */
async function untilAgent(mgmtEndpoint: string): Promise<void> {
  const line = [built('service-mgrd'), '-e', mgmtEndpoint, 'status'];
  for (const endsAt = performance.now() + startDeadlineMs; performance.now() < endsAt; await sleep(pollMs)) {
    const { status, stdout } = spawnSync(process.execPath, line, { encoding: 'utf8' });
    if (status === 0 && JSON.parse(stdout).result.counters.agents >= 1) return;
  }
  throw new Error('the agent did not reach the manager');
}

function writeConfig(folder: string, name: string, settings: Readonly<Record<string, string>>): string {
  const file = join(folder, `${name}.conf`);
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${value}`);
  writeFileSync(file, `[Default]\n${lines.join('\n')}\n`);
  return file;
}
