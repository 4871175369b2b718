import { expect } from 'chai';
import { cleanUp } from '../e2e/harness/processes.ts';
import { eventually } from '../fakes/eventually.ts';
import { serviceTaking } from './counted.ts';
import { often, say, spreadOf } from './rounds.ts';
import {
  type Report,
  restartEverywhere,
  type SimulatedFleet,
  startAll,
  startSimulatedFleet,
  untilHeardOf,
} from './simulated.ts';

/** `killed`: a moment ago. `lost`: earlier, and known to be gone. `frozen`: a moment ago it hung, its connections are open. */
type Death = 'killed' | 'lost' | 'frozen';

interface Overrun {
  readonly windowSeconds: number;
  readonly overrunMs: number;
}

const agentCount = 20;
const workerCount = 4;
const longestOverrunMs = 250;
const deaths: readonly Death[] = ['killed', 'lost', 'frozen'];
const shares = [0.5, 1];
/** In seconds. The longest first: who is frozen is known to be lost some time later. */
const windows = [5, 2, 0.5];

describe('the window of a request, as wall-clock time of the whole client program', function () {
  this.timeout(often(180_000, 3_600_000));
  const overruns: number[] = [];
  let again = 0;
  let fleet: SimulatedFleet;

  before(async () => {
    fleet = await startSimulatedFleet(agentCount, workerCount);
    await startAll(fleet);
  });
  after(async () => {
    say(`      window: over its end ${spreadOf(overruns)}; ${again} tried again`);
    await cleanUp();
  });

  it('is not used up when all nodes answer', async () => {
    for (const windowSeconds of windows) {
      const report = await restartEverywhere(fleet, serviceTaking(0), windowSeconds);
      expect(report, described(report)).to.include({ code: 0, answers: agentCount });
      expect(report.ms, described(report)).to.be.below(windowSeconds * 1_000 + longestOverrunMs);
    }
  });

  for (const death of deaths) {
    for (const share of shares) {
      it(`ends in time when ${share * 100} % of the nodes are ${death}`, async () => {
        for (let time = 0; time < often(1, 20); time += 1) {
          // Who was killed a moment ago is known to be gone at the next request; the others stay what they are.
          const groups = death === 'killed' ? windows.map((window) => [window]) : [windows];
          for (const group of groups) await measure(death, share, group);
        }
      });
    }
  }

  async function measure(death: Death, share: number, group: readonly number[]): Promise<void> {
    const late = await overrunning(death, share, group);
    if (late.length === 0) return;
    again += late.length;
    for (const { windowSeconds, overrunMs } of late)
      say(`      window: ${overrunMs.toFixed(0)} ms over the end of ${windowSeconds} s; tried again`);
    expect(await overrunning(death, share, group), 'a second time').to.deep.equal([]);
  }

  /** The windows that were not kept. */
  async function overrunning(death: Death, share: number, group: readonly number[]): Promise<Overrun[]> {
    const dead = await die(fleet, death, share);
    const late: Overrun[] = [];
    for (const windowSeconds of group) {
      const report = await restartEverywhere(fleet, serviceTaking(0), windowSeconds);
      expect(report, described(report)).to.include({ code: 4, answers: agentCount - dead.length });
      const silent = ['no-answer', 'unreachable'].flatMap((outcome) => report.outcomes.get(outcome) ?? []);
      expect(silent.sort(), described(report)).to.deep.equal(dead.sort());
      const overrunMs = report.ms - windowSeconds * 1_000;
      if (overrunMs > longestOverrunMs) late.push({ windowSeconds, overrunMs });
      const isWaited = report.outcomes.has('no-answer');
      if (isWaited) overruns.push(overrunMs);
      if (death === 'lost') expect(isWaited, described(report)).to.equal(false);
    }
    await revive(fleet, death);
    return late;
  }
});

async function die({ sim, library }: SimulatedFleet, death: Death, share: number): Promise<string[]> {
  if (death === 'frozen') return sim.freeze(share);
  const dead = sim.kill(share);
  if (death === 'lost') {
    const isLost = async () => {
      const { nodes } = await library.history.nodes();
      return nodes.filter(({ presence }) => presence === 'lost').length === dead.length;
    };
    await eventually(isLost, 'the dead are known to be gone', 10_000);
  }
  return dead;
}

async function revive(fleet: SimulatedFleet, death: Death): Promise<void> {
  if (death !== 'frozen') return void (await startAll(fleet));
  const sinceWallMs = Date.now();
  fleet.sim.thaw();
  await untilHeardOf(fleet.library, fleet.sim.nodes, sinceWallMs, 20_000);
}

function described({ outcomes, code, ms, answers }: Report): string {
  const counts = Array.from(outcomes, ([outcome, nodes]) => `${nodes.length} ${outcome}`).join(', ');
  return `${counts}; ${answers} answers; exit code ${code} after ${ms.toFixed(0)} ms`;
}
