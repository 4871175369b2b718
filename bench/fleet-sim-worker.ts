// Part of a simulated fleet, see fleet-sim.ts: the first message of its parent says which agents it is; it answers "started".
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent } from '../src/agent/agent.ts';
import { trustingRules } from '../src/agent/gate.ts';
import type { Log } from '../src/platform/log.ts';
import { NodeAppendFiles } from '../src/platform/node/append-files.ts';
import { nodeClock } from '../src/platform/node/clock.ts';
import { readHostFacts } from '../src/platform/node/host.ts';
import { newBootId } from '../src/platform/node/ids.ts';
import { NodeKeyFiles } from '../src/platform/node/key-files.ts';
import { ZmqSockets } from '../src/platform/zmq/sockets.ts';
import type { Provider, ProviderResult } from '../src/provider/provider.ts';
import { FileHeads } from '../src/store/audit-heads.ts';
import { AuditTrail } from '../src/store/audit-trail.ts';
import { MemoryJournal } from '../src/store/memory-journal.ts';
import type { NodeName } from '../src/wire/fields.ts';
import type { SimulatedSecurity, WorkerOrder } from './fleet-sim.ts';
import { noHealthChecks } from './no-health-checks.ts';

// Each of both links has two more with security.
const socketsOfOneAgent = 12;
const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
const nothing = { text: '', cutBytes: 0 };
const done: ProviderResult = {
  ...{ exitCode: 0, timedOut: false, aborted: false, stdout: nothing, stderr: nothing, durationMs: 0 },
  ...{ provider: 'no-op', state: 'running' },
};

/** Notes the run and does nothing, for as many milliseconds as the name of the service ends with. */
function providerOf(node: string, runsFile: string): Provider {
  return {
    run: async (service, action) => {
      appendFileSync(runsFile, `${node} ${service} ${action}\n`);
      const durationMs = Number(/-(\d+)$/.exec(service)?.[1] ?? 0);
      if (durationMs > 0) await new Promise((resolve) => setTimeout(resolve, durationMs));
      return { ...done, durationMs };
    },
    inspect: () => Promise.resolve({ state: 'running', mainPid: undefined }),
  };
}

/** Keys and an audit log, as an agent with security has them. */
function secured(known: SimulatedSecurity | undefined) {
  if (known === undefined) return {};
  const { own, manager, auditFolder } = known;
  const security = { own, managers: [[manager]], keep: () => {} };
  if (auditFolder === undefined) return { security };
  const heads = new FileHeads(new NodeKeyFiles(), join(auditFolder, 'audit.head'));
  const path = join(auditFolder, 'audit.log');
  const files = new NodeAppendFiles();
  return { security, audit: AuditTrail.open({ files, path, heads, clock: nodeClock, log: silentLog }) };
}

async function start({ nodes, managers, runsFile, security }: WorkerOrder): Promise<void> {
  const sockets = new ZmqSockets({ maxSockets: nodes.length * socketsOfOneAgent * managers.length + 100 });
  const host = readHostFacts();
  const startAgent = (node: string) =>
    Agent.start(
      {
        managerEndpoints: managers.map(({ backend }) => backend),
        sinkEndpoints: managers.map(({ sink }) => sink),
        // Nobody asks them, so a thousand of them need no thousand ports; but inproc knows no security.
        mgmtEndpoint: security[node] === undefined ? `inproc://${node}` : 'tcp://127.0.0.1:*',
        nodeName: node as NodeName,
        ...{ roles: [], topics: [], protocol: 'v2', actionTimeoutMs: 60_000, extraActions: [] },
      },
      {
        ...{ sockets, host, clock: nodeClock, log: silentLog, random: Math.random },
        provider: providerOf(node, runsFile),
        health: noHealthChecks,
        rules: trustingRules,
        journal: new MemoryJournal(),
        boot: newBootId(),
        ...secured(security[node]),
        pid: process.pid,
      },
    );
  await Promise.all(nodes.map(startAgent));
  process.send?.('started');
}

process.once('message', (order: WorkerOrder) => void start(order));
// Without its parent nobody could end it.
process.once('disconnect', () => process.exit());
