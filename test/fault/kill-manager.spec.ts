import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { managerCommand } from '../e2e/harness/joined-fleet.ts';
import { cleanUp } from '../e2e/harness/processes.ts';
import {
  type Asked,
  type AskedManager,
  ask,
  type CountedAgent,
  recallOf,
  serviceTaking,
  settle,
  startAskedManager,
  startCountedAgent,
  untilBegun,
} from './counted.ts';
import { often, playRounds, type Round, spread } from './rounds.ts';

interface Fleet extends AskedManager {
  /** They answer at once, after half of the action's time, and after all of it. */
  readonly agents: readonly CountedAgent[];
}

const actionMs = 1_200;
const windowSeconds = 30;
/** Long before the end of the window: the client has not just waited for that. */
const longestWaitMs = 15_000;

describe('a manager that is killed while a request is under way', function () {
  this.timeout(often(120_000, 3_600_000));
  let fleets: Fleet[] = [];

  before(async () => {
    fleets = await Promise.all([startFleet('none'), startFleet('keys')]);
  });
  after(cleanUp);

  it('and started again gives the waiting client every answer, of actions that ran once', async () => {
    await playRounds('kill-manager', often(10, 200), fleets, async (round, fleet) => {
      const service = serviceTaking(actionMs);
      const asked = askAll(fleet, service);
      await untilBegun(fleet.agents, service);
      // From the first answer on its way to right before the last one.
      await sleep(spread(round, 0.9 * actionMs));
      await restart(fleet, spread(round * 7, 1_000));
      return finish(fleet, asked);
    });
  });

  it('before the client has its word loses and repeats nothing either', async () => {
    await playRounds('kill-manager-early', often(10, 200), fleets, async (round, fleet) => {
      const service = serviceTaking(100);
      const opened = fleet.manager.waitForEvent(
        'request.opened',
        10_000,
        ({ service: name }) => name === service,
      );
      const asked = askAll(fleet, service);
      // At its worst moments: it is stored and sent, but perhaps not confirmed, or an answer comes in.
      await opened;
      await sleep(spread(round, 20));
      await restart(fleet, 0);
      return finish(fleet, asked);
    });
  });

  it('leaves an audit log without a gap', async () => {
    for (const { manager } of fleets) {
      const { code, stdout, stderr } = await managerCommand(manager, 'audit', 'verify');
      expect(code, stdout + stderr).to.equal(0);
    }
  });
});

async function startFleet(security: 'keys' | 'none'): Promise<Fleet> {
  const asked = await startAskedManager(security);
  const { manager } = asked;
  const agents = await Promise.all(
    [0, 50, 100].map((share) =>
      startCountedAgent({ managers: [manager], nodeName: `takes-${share}`, share }),
    ),
  );
  await manager.waitForSubscribers(agents.length);
  return { ...asked, agents };
}

function askAll({ manager, as }: Fleet, service: string): Asked {
  return ask({ endpoints: [manager.endpoints.frontend], as, service, windowSeconds });
}

async function restart({ manager }: Fleet, pauseMs: number): Promise<void> {
  await manager.kill();
  await sleep(pauseMs);
  await manager.start();
}

async function finish({ agents, library }: Fleet, asked: Asked): Promise<Round> {
  const { exit, answers, ms, stderr } = await asked.end();
  const { service } = asked;
  const account = await settle({ service, agents, client: answers, histories: [recallOf(library.history)] });
  if (account.lost.length === 0) {
    expect(exit, stderr).to.deep.equal({ code: 0, signal: null });
    expect(ms, 'waited until the window ended').to.be.below(longestWaitMs);
  }
  return { ...account, times: { client: ms } };
}
