import { expect } from 'chai';
import type { ServiceAnswer } from '../../src/client/index.ts';
import { type RunningAgent, type RunningManager, startAgent, startManager } from './harness/fleet.ts';
import { openLibrary } from './harness/library.ts';
import { cleanUp } from './harness/processes.ts';
import { hanging, slow, type TestService } from './harness/services.ts';

const actionTimeoutMs = 2_000;
/** After TERM, before KILL. */
const killAfterMs = 5_000;
const ownRunTimeMs = 100;
/** What forty actions at once may add on two busy processors: with their run time still less than the timeout. */
const slackMs = 1_400;

interface Reported {
  readonly answer: ServiceAnswer;
  readonly afterMs: number;
}

describe('services that hang', function () {
  this.timeout(90_000);
  afterEach(cleanUp);

  it('hold up neither the other services of the node nor its management, and are ended by their timeout', async () => {
    const { manager, agent } = await pair();
    const quick = Array.from({ length: 8 }, () => slow(ownRunTimeMs));
    const hangs = hanging();
    const hangsOnTerm = hanging({ ignoresTerm: true });
    // 50 at once: the hanging ones first, so that all the others come behind them.
    const rounds = Array.from({ length: 5 }, () => quick);
    const orders = [
      ...Array<TestService>(8).fill(hangs),
      ...Array<TestService>(2).fill(hangsOnTerm),
      ...rounds.flat(),
    ];
    const asking = manageUntilDone(agent);
    const send = sender(manager);
    const beganAt = performance.now();
    const reports = await Promise.all(orders.map((service) => send(service.name, beganAt)));
    const management = await asking.stop();

    const of = ({ name }: TestService) =>
      reports
        .filter(({ answer }) => answer.result.service === name)
        .sort((one, other) => one.afterMs - other.afterMs);
    for (const service of quick) {
      expect(of(service)).to.have.lengthOf(5);
      for (const [index, { answer, afterMs }] of of(service).entries()) {
        expect(answer.result).to.include({ returncode: 0, stdout: 'reload done\n' });
        expect(answer.result).not.to.have.property('timedOut');
        expect(afterMs, service.name).to.be.below((index + 1) * ownRunTimeMs + slackMs);
      }
      expect(await service.runs()).to.have.lengthOf(5);
    }
    expect(of(hangs)).to.have.lengthOf(8);
    expect(of(hangsOnTerm)).to.have.lengthOf(2);
    for (const [index, { answer, afterMs }] of of(hangs).entries()) {
      expect(answer.result).to.include({ timedOut: true, returncode: -15, stdout: 'reload hangs\n' });
      const dueMs = (index + 1) * actionTimeoutMs;
      expect(afterMs).to.be.within(dueMs, dueMs + slackMs);
    }
    for (const [index, { answer, afterMs }] of of(hangsOnTerm).entries()) {
      expect(answer.result).to.include({ timedOut: true, returncode: -9, stdout: 'reload hangs\n' });
      const dueMs = (index + 1) * (actionTimeoutMs + killAfterMs);
      expect(afterMs).to.be.within(dueMs, dueMs + slackMs);
    }
    expect([hangs, hangsOnTerm].flatMap((service) => service.processes())).to.deep.equal([]);
    expect(management.answers).to.be.above(100);
    expect(management.slowestMs).to.be.below(1_000);
    expect(await hangs.runs()).to.have.lengthOf(8);
    expect(await hangsOnTerm.runs()).to.have.lengthOf(2);
    expect((await agent.status())['counters']).to.include({ tasks: 0, messagesDropped: 0 });
  });
});

async function pair(): Promise<{ manager: RunningManager; agent: RunningAgent }> {
  const manager = await startManager();
  const agent = await startAgent({ managers: [manager], actionTimeout: actionTimeoutMs / 1_000 });
  await manager.waitForSubscribers(1);
  return { manager, agent };
}

/** Sends one request each time it is called, all through one client; resolves with the answer and when it came. */
function sender(manager: RunningManager) {
  const library = openLibrary(manager.endpoints.frontend);
  return async (service: string, beganAt: number): Promise<Reported> => {
    const request = await library.send({ topic: 'any', action: 'reload', service, windowMs: 60_000 });
    for await (const answer of request) {
      const afterMs = performance.now() - beganAt;
      if ('result' in answer) return { answer, afterMs };
      throw new Error(`${service}: ${answer.msg}`);
    }
    throw new Error(`${service}: no answer`);
  };
}

/** Asks the agent for its status over and over. Stopping it throws what went wrong. */
function manageUntilDone(agent: RunningAgent) {
  let isDone = false;
  const asking = (async () => {
    let answers = 0;
    let slowestMs = 0;
    while (!isDone) {
      const beganAt = performance.now();
      await agent.status();
      slowestMs = Math.max(slowestMs, performance.now() - beganAt);
      answers += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return { answers, slowestMs };
  })();
  asking.catch(() => undefined);
  return {
    stop: () => {
      isDone = true;
      return asking;
    },
  };
}
