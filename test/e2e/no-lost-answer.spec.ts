import { expect } from 'chai';
import { type RunningManager, startAgent, startManager } from './harness/fleet.ts';
import { cleanUp, runProgram } from './harness/processes.ts';
import { jsonLines, type ServiceProgram, serviceProgram } from './harness/service-program.ts';
import { runV1Client, runV1ClientRepeatedly, startV1Agents } from './v1/peers.ts';

describe('no answer is lost, though a v1 client listens only when the request is on its way', function () {
  this.timeout(300_000);
  afterEach(cleanUp);

  it('1,000 requests in a row to one agent that answers in a millisecond, each waited for 0.1 s', async () => {
    const { manager, program } = await quickPair();
    const request = await quickRequest(manager, program);
    const asked = program.runs().length;
    const summary = await runV1ClientRepeatedly(request, 1_000);
    expect(summary.lost.filter((lost) => lost > 0)).to.deep.equal([]);
    expect(summary).to.include({ requests: 1_000, expected: 1_000, received: 1_000, duplicates: 0 });
    expect(program.runs().length - asked).to.equal(1_000);
  });

  it('nor does it come twice to a client that goes on listening', async () => {
    const { manager, program } = await quickPair();
    const request = await quickRequest(manager, program);
    const asked = program.runs().length;
    const summary = await runV1ClientRepeatedly({ ...request, fullWait: true }, 50);
    expect(summary).to.include({ requests: 50, received: 50, duplicates: 0 });
    expect(program.runs().length - asked).to.equal(50);
  });

  it('100 requests to 1,000 agents that answer at once, each waited for 3 s', async () => {
    const manager = await startManager();
    const { log } = await startV1Agents({ manager, count: 1_000 });
    expect(await manager.waitForSubscribers(1_000, 60_000)).to.equal(1_000);
    const request = {
      ...{ endpoint: manager.endpoints.frontend, service: 'quick', waitSeconds: 3, expect: 1_000 },
      // How soon the manager takes the request is not what is tested here.
      timeoutMs: 20_000,
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

async function quickPair(): Promise<{ manager: RunningManager; program: ServiceProgram }> {
  const program = serviceProgram();
  const manager = await startManager();
  await startAgent({ managers: [manager], serviceProgram: program.file });
  await manager.waitForSubscribers(1);
  return { manager, program };
}

/**
 * What is late is not lost: a machine that now and then takes long to run the program at all gets more time. 0.1 s are for
 * one where the slowest of a hundred runs takes 10 ms.
 */
async function quickRequest(manager: RunningManager, { file }: ServiceProgram) {
  let slowestMs = 0;
  for (let run = 1; run <= 100; run += 1) {
    const { elapsedMs } = await runProgram(file, ['calibration', 'status']);
    slowestMs = Math.max(slowestMs, elapsedMs);
  }
  const waitSeconds = Math.max(0.1, (10 * slowestMs) / 1_000);
  return { endpoint: manager.endpoints.frontend, service: 'quick', waitSeconds, expect: 1 };
}
