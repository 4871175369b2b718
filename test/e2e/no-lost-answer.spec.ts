import { monitorEventLoopDelay } from 'node:perf_hooks';
import { expect } from 'chai';
import { startAgent, startManager } from './harness/fleet.ts';
import { cleanUp } from './harness/processes.ts';
import { jsonLines, serviceProgram } from './harness/service-program.ts';
import { runV1Client, runV1ClientRepeatedly, startV1Agents, type V1Request } from './v1/peers.ts';

/** How soon the manager takes a request is not what is tested here. */
const timeoutMs = 20_000;

describe('no answer is lost, though a v1 client listens only when the request is on its way', function () {
  this.timeout(300_000);
  afterEach(cleanUp);

  it('1,000 requests in a row to one agent that answers in a millisecond, each waited for 0.1 s', async () => {
    const { request, program } = await quickPair();
    const { summary, attempts } = await repeatWhileStalled(request, 1_000);
    expect(summary.lost.filter((lost) => lost > 0)).to.deep.equal([]);
    expect(summary).to.include({ requests: 1_000, expected: 1_000, received: 1_000, duplicates: 0 });
    expect(program.runs()).to.have.lengthOf(1_000 * attempts);
  });

  it('nor does it come twice to a client that goes on listening', async () => {
    const { request, program } = await quickPair();
    const { summary, attempts } = await repeatWhileStalled({ ...request, fullWait: true }, 50);
    expect(summary).to.include({ requests: 50, received: 50, duplicates: 0 });
    expect(program.runs()).to.have.lengthOf(50 * attempts);
  });

  it('100 requests to 1,000 agents that answer at once, each waited for 3 s', async () => {
    const manager = await startManager();
    const { log } = await startV1Agents({ manager, count: 1_000 });
    expect(await manager.waitForSubscribers(1_000, 60_000)).to.equal(1_000);
    const request = {
      ...{ endpoint: manager.endpoints.frontend, service: 'quick', waitSeconds: 3, expect: 1_000 },
      timeoutMs,
    };
    const summary = await runV1ClientRepeatedly(request, 100);
    expect(summary.lost.filter((lost) => lost > 0)).to.deep.equal([]);
    expect(summary).to.include({ requests: 100, received: 100_000, duplicates: 0 });
    const once = await runV1Client({ ...request, fullWait: true });
    expect(once).to.include({ nodes: 1_000, duplicates: 0 });
    // Each agent was asked once for each request, too.
    const acted = jsonLines(log).map((line) => JSON.stringify(line));
    expect(acted).to.have.lengthOf(101_000);
    expect(new Set(acted).size).to.equal(acted.length);
    expect((await manager.status())['counters']).to.include({ messagesDropped: 0, framesRejected: 0 });
  });
});

async function quickPair() {
  const program = serviceProgram();
  const manager = await startManager();
  await startAgent({ managers: [manager], serviceProgram: program.file });
  await manager.waitForSubscribers(1);
  const request = { endpoint: manager.endpoints.frontend, service: 'quick', expect: 1, timeoutMs };
  return { program, request };
}

/**
 * What is late is not lost. Answers may only be missing, and all is asked again with more time, where the machine was so
 * busy that this process, too, was held up for a good part of the wait.
 */
async function repeatWhileStalled(request: V1Request & { readonly expect: number }, repeat: number) {
  const waits = [0.1, 0.5, 2.5];
  for (const [index, waitSeconds] of waits.entries()) {
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const summary = await runV1ClientRepeatedly({ ...request, waitSeconds }, repeat);
    delay.disable();
    const isStalled = delay.max / 1e9 > waitSeconds / 4;
    if (summary.received === summary.expected || !isStalled) return { summary, attempts: index + 1 };
  }
  throw new Error(`this machine stalls for more than ${waits.at(-1)} s / 4`);
}
