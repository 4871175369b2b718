// The real agent with a provider that does nothing: what is measured is the way to a host and back, and not service(8).
// Usage: noop-agent.ts MANAGER_ENDPOINT SINK_ENDPOINT LOG_FILE; prints "ready" and stops with SIGTERM.
import { Agent } from '../src/agent/agent.ts';
import { trustingRules } from '../src/agent/gate.ts';
import { readAgentConfig } from '../src/config/agent.ts';
import { nodeClock } from '../src/platform/node/clock.ts';
import { readHostFacts } from '../src/platform/node/host.ts';
import { newBootId } from '../src/platform/node/ids.ts';
import { openLog } from '../src/platform/node/log.ts';
import { untilSignal } from '../src/platform/node/signals.ts';
import { ZmqSockets } from '../src/platform/zmq/sockets.ts';
import type { Provider } from '../src/provider/provider.ts';
import { MemoryJournal } from '../src/store/memory-journal.ts';
import { noHealthChecks } from './no-health-checks.ts';

const nothing = { text: '', cutBytes: 0 };

const noopProvider: Provider = {
  run: () =>
    Promise.resolve({
      exitCode: 0,
      timedOut: false,
      aborted: false,
      stdout: nothing,
      stderr: nothing,
      durationMs: 0,
      provider: 'no-op',
      state: 'running',
    }),
  inspect: () => Promise.resolve({ state: 'running', mainPid: undefined }),
};

const [managerEndpoint = '', sinkEndpoint = '', logFile] = process.argv.slice(2);
const stopped = untilSignal(['SIGTERM', 'SIGINT']);
const text = `[Default]
mgmt_endpoint = tcp://127.0.0.1:*
node_name = noop
`;
const config = {
  ...readAgentConfig(text, 'noop-agent.conf'),
  ...{ managerEndpoints: [managerEndpoint], sinkEndpoints: [sinkEndpoint] },
};
const agent = await Agent.start(config, {
  sockets: new ZmqSockets(),
  clock: nodeClock,
  log: openLog({ name: 'noop-agent', file: logFile, debug: false }),
  host: readHostFacts(),
  provider: noopProvider,
  health: noHealthChecks,
  rules: trustingRules,
  journal: new MemoryJournal(),
  boot: newBootId(),
  pid: process.pid,
  random: Math.random,
});
process.stdout.write('ready\n');
await Promise.race([stopped, agent.finished]);
await agent.close();
