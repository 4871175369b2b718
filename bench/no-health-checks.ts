import { HealthChecks } from '../src/agent/health.ts';
import { nodeClock } from '../src/platform/node/clock.ts';
import { nodeProbe } from '../src/platform/node/probe.ts';
import { NodeProcesses } from '../src/platform/node/processes.ts';

/** Of an agent that is measured: no program is configured, so none is ever run. */
export const noHealthChecks = new HealthChecks({
  ...{ clock: nodeClock, probe: nodeProbe },
  processes: new NodeProcesses({ scratchDir: '/dev/null' }),
  programs: new Map(),
});
