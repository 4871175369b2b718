import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { agentCommand } from '../e2e/harness/joined-fleet.ts';
import { cleanUp } from '../e2e/harness/processes.ts';
import { startsSlowly, type TestService } from '../e2e/harness/services.ts';
import { eventually } from '../fakes/eventually.ts';
import {
  type Asked,
  type AskedManager,
  ask,
  type Counted,
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
  readonly victim: CountedAgent;
  readonly witness: CountedAgent;
}

const windowSeconds = 30;
const longestWaitMs = 15_000;
const actionMs = 1_500;

describe('an agent that is killed', function () {
  this.timeout(often(120_000, 3_600_000));
  let fleets: Fleet[] = [];

  before(async () => {
    fleets = await Promise.all([startFleet('none'), startFleet('none'), startFleet('keys')]);
  });
  after(cleanUp);

  it('right before a request acts and answers when it is back, once', async () => {
    await playRounds('kill-agent-before', often(10, 200), fleets, async (round, fleet) => {
      const { victim, witness } = fleet;
      await untilAlive(fleet);
      const service = serviceTaking(100);
      await victim.daemon.kill();
      const asked = request(fleet, 'any', 'restart', service);
      await sleep(spread(round, 1_500));
      await victim.daemon.start();
      // Where it was known to be gone by then, nobody waited for it, and it has not acted.
      const isExpected = (await asked.end()).answers.has(victim.node);
      if (!isExpected) expect(victim.runs(service)).to.equal(0);
      const agents = isExpected ? [victim, witness] : [witness];
      return settled(fleet, agents, asked);
    });
  });

  it('and known to be gone is not waited for, and does not act when it is back', async () => {
    await playRounds('kill-agent-gone', often(3, 30), fleets, async (_, fleet) => {
      const { victim, witness, manager, library } = fleet;
      await untilAlive(fleet);
      const from = manager.program.lines.length;
      await victim.daemon.kill();
      await manager.waitForEvent('node.changed', 10_000, isChange(victim, 'lost'), from);
      const service = serviceTaking(0);
      const asked = request(fleet, 'any', 'restart', service);
      const { answers, exit } = await asked.end();
      expect(exit).to.deep.equal({ code: 4, signal: null });
      expect([...answers.keys()]).to.deep.equal([witness.node]);
      await victim.daemon.start();
      await untilAlive(fleet);
      await sleep(500);
      expect(victim.runs(service), 'runs after it came back').to.equal(0);
      const [stored] = await library.history.list({ service });
      expect(stored?.counts).to.deep.equal({ ok: 1, unreachable: 1 });
      return settled(fleet, [witness], asked);
    });
  });

  it('during the action reports it as interrupted, does not repeat it, and what it started lives on', async () => {
    await playRounds('kill-agent-during', often(10, 200), fleets, async (round, fleet) => {
      const service = startsSlowly(actionMs);
      const asked = await askForStart(fleet, service);
      await sleep(spread(round, 0.6 * actionMs));
      await fleet.victim.daemon.kill();
      await sleep(spread(round * 7, 800));
      await fleet.victim.daemon.start();
      const { answers } = await asked.end();
      expect(answers.get(fleet.victim.node)).to.equal('INTERRUPTED');
      return settledStart(fleet, service, asked);
    });
  });

  it('right after the action has an answer for it, and does not repeat it', async () => {
    await playRounds('kill-agent-after', often(10, 200), fleets, async (round, fleet) => {
      const { victim } = fleet;
      await untilAlive(fleet);
      const service = serviceTaking(200);
      const asked = request(fleet, victim.node, 'restart', service);
      await untilBegun([victim], service);
      // Around its end: the end is journaled, is sent, is stored.
      if (round % 2 === 0) await sleep(190 + spread(round, 40));
      else await victim.daemon.waitForEvent('request.answered', 10_000);
      if (round % 4 === 3) await sleep(spread(round, 20));
      await victim.daemon.kill();
      await victim.daemon.start();
      const { answers } = await asked.end();
      expect(answers.get(victim.node)).to.be.oneOf(['ok', 'INTERRUPTED']);
      return settled(fleet, [victim], asked);
    });
  });

  it('during the action together with its manager is told of all the same', async () => {
    await playRounds('kill-both', often(10, 200), fleets, async (round, fleet) => {
      const { manager, victim } = fleet;
      const service = startsSlowly(actionMs);
      const asked = await askForStart(fleet, service);
      await sleep(spread(round, 0.6 * actionMs));
      const [first, second] = round % 2 === 0 ? [manager, victim.daemon] : [victim.daemon, manager];
      await Promise.all([first.kill(), second.kill()]);
      await first.start();
      await sleep(spread(round * 7, 500));
      await second.start();
      const { answers } = await asked.end();
      expect(answers.get(victim.node)).to.equal('INTERRUPTED');
      return settledStart(fleet, service, asked);
    });
  });

  it('leaves an audit log without a gap', async () => {
    for (const { victim } of fleets) {
      const { code, stdout, stderr } = await agentCommand(victim.daemon, 'audit', 'verify');
      expect(code, stdout + stderr).to.equal(0);
    }
  });
});

/** The services with an init script are run by the real service(8). */
const leavesServicesToTheHost = 'case "$1" in smtest-*) exec service "$@";; esac';

async function startFleet(security: 'keys' | 'none'): Promise<Fleet> {
  const asked = await startAskedManager(security);
  const managers = [asked.manager];
  const [victim, witness] = await Promise.all([
    startCountedAgent({ managers, nodeName: 'victim', begin: leavesServicesToTheHost }),
    startCountedAgent({ managers, nodeName: 'witness' }),
  ]);
  return { ...asked, victim, witness };
}

/** Both agents run, also after a round that failed, and the manager knows. */
async function untilAlive({ library, victim, witness }: Fleet): Promise<void> {
  if (!victim.daemon.program.isRunning) await victim.daemon.start();
  await eventually(
    async () => {
      const { nodes } = await library.history.nodes();
      const alive = new Set<string>(
        nodes.filter((node) => node.presence === 'alive').map(({ node }) => node),
      );
      return [victim, witness].every(({ node }) => alive.has(node));
    },
    'both agents are alive',
    20_000,
  );
}

function request({ manager, as }: Fleet, topic: string, action: 'restart' | 'start', service: string): Asked {
  return ask({ endpoints: [manager.endpoints.frontend], as, topic, action, service, windowSeconds });
}

async function askForStart(fleet: Fleet, service: TestService): Promise<Asked> {
  await untilAlive(fleet);
  const asked = request(fleet, fleet.victim.node, 'start', service.name);
  await eventually(() => service.daemonPid() !== undefined, `${service.name} is there`, 10_000);
  return asked;
}

async function settled({ library }: Fleet, agents: readonly Counted[], asked: Asked): Promise<Round> {
  const { answers, ms } = await asked.end();
  const { service } = asked;
  const account = await settle({ service, agents, client: answers, histories: [recallOf(library.history)] });
  if (account.lost.length === 0) expect(ms, 'waited until the window ended').to.be.below(longestWaitMs);
  return { ...account, times: { client: ms } };
}

/** The action went to its end without its agent, ran once, and the service that it started runs. */
async function settledStart(fleet: Fleet, service: TestService, asked: Asked): Promise<Round> {
  const victim: Counted = { node: fleet.victim.node, runs: () => started.length };
  await eventually(async () => (await service.log()).includes('done start'), `${service.name} has started`);
  await sleep(200);
  const started = await service.runs();
  const round = await settled(fleet, [victim], asked);
  const pid = service.daemonPid();
  expect(pid !== undefined && existsSync(`/proc/${pid}`), 'the service lives').to.equal(true);
  await service.remove();
  return round;
}

function isChange({ node }: Counted, presence: 'lost' | 'alive') {
  return (record: Readonly<Record<string, unknown>>) =>
    record['node'] === node && record['presence'] === presence;
}
