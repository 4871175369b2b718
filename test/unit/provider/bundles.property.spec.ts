import { expect } from 'chai';
import fc from 'fast-check';
import type { State } from '../../../src/wire/fields.ts';
import type { MemberResult } from '../../../src/wire/result.ts';
import { BundleBench } from '../../fakes/bundle-bench.ts';
import type { ScriptedService } from '../../fakes/scripted-host.ts';

type Fate = 'ok' | 'fails' | 'fails but runs' | 'too slow' | 'unverified';

interface Member {
  readonly before: Exclude<State, 'not-found'>;
  readonly start: Fate;
  readonly stop: 'ok' | 'fails';
}

const member = fc.record<Member>({
  before: fc.constantFrom('running', 'stopped', 'failed', 'unknown'),
  start: fc.oneof(
    { weight: 3, arbitrary: fc.constant<Fate>('ok') },
    { weight: 1, arbitrary: fc.constantFrom<Fate>('fails', 'fails but runs', 'too slow', 'unverified') },
  ),
  stop: fc.constantFrom('ok', 'ok', 'fails'),
});
const members = fc.array(member, { minLength: 1, maxLength: 8 });
const stopOnError = fc.constantFrom(undefined, true, false);

const startScripts = {
  ok: {},
  fails: { exitCode: 7 },
  'fails but runs': { exitCode: 7, leaves: 'running' },
  'too slow': { tookMs: 999 },
  unverified: { isVerified: false },
} as const;

const nameOf = (at: number) => `s${at}`;

function scripted({ before, start, stop }: Member): ScriptedService {
  const script = { start: startScripts[start], stop: stop === 'ok' ? {} : { exitCode: 9 } };
  return { state: before === 'unknown' ? undefined : before, script };
}

function benchOf(all: readonly Member[], stopOnErrorWritten: boolean | undefined): BundleBench {
  const services = Object.fromEntries(all.map((each, at) => [nameOf(at), scripted(each)]));
  // So one that is too slow fails alone.
  return new BundleBench(services, { stopOnError: stopOnErrorWritten, timeoutMs: 100 });
}

function check(
  property: (all: readonly Member[], written: boolean | undefined) => Promise<void>,
): Promise<void> {
  return fc.assert(fc.asyncProperty(members, stopOnError, property), { numRuns: 300 });
}

const isRollback = (each: MemberResult) => each.isRollback === true;
const of = (action: string, runs: readonly string[]) => {
  const done = runs.filter((run) => run.endsWith(` ${action}`));
  return done.map((run) => run.slice(0, -action.length - 1));
};

/** By the promise, and not by the code: who is started, who fails first, and who is stopped again. */
function expectedStart(all: readonly Member[], written: boolean | undefined) {
  const isBad = ({ before, start }: Member) => before !== 'running' && start !== 'ok';
  const firstBad = written === false ? -1 : all.findIndex(isBad);
  const reached = firstBad < 0 ? all : all.slice(0, firstBad + 1);
  const indexes = [...reached.keys()];
  const isDown = (at: number) => all[at]?.before === 'stopped' || all[at]?.before === 'failed';
  const isUp = (at: number) => ['ok', 'fails but runs', 'unverified'].includes(all[at]?.start ?? '');
  return {
    started: indexes.filter((at) => all[at]?.before !== 'running').map(nameOf),
    rolledBack:
      firstBad < 0
        ? []
        : indexes
            .filter((at) => isDown(at) && isUp(at))
            .reverse()
            .map(nameOf),
    untried: firstBad < 0 ? [] : [...all.keys()].slice(firstBad + 1).map(nameOf),
    isGood: !all.some(isBad),
  };
}

describe('any bundle, whatever its members do', () => {
  it('starts in order, and after a failure stops exactly what it had started, in reverse', () =>
    check(async (all, written) => {
      const web = benchOf(all, written);
      const { members: said = [], exitCode, verification } = await web.run('start');
      const { started, rolledBack, untried, isGood } = expectedStart(all, written);
      const runs = web.ran();
      expect(runs).to.deep.equal([
        ...started.map((name) => `${name} start`),
        ...rolledBack.map((name) => `${name} stop`),
      ]);
      expect(said.filter(isRollback).map(({ service }) => service)).to.deep.equal(rolledBack);
      expect(
        said.filter(({ outcome }) => outcome === 'cancelled').map(({ service }) => service),
      ).to.deep.equal(untried);
      expect(exitCode === 0 && verification === undefined).to.equal(isGood);
      for (const [at, { before, stop }] of all.entries()) {
        // What may have run before still does, and what was put back is as it was found.
        if (before === 'running') expect(web.state(nameOf(at))).to.equal('running');
        else if (rolledBack.includes(nameOf(at)) && stop === 'ok')
          expect(web.state(nameOf(at))).to.equal('stopped');
      }
    }));

  it('stops in the reverse of the order in which it starts', () =>
    check(async (all) => {
      const good = all.map((each) => ({ ...each, before: 'stopped', start: 'ok' }) as const);
      const web = benchOf(good, undefined);
      await web.run('start');
      await web.run('stop');
      const runs = web.ran();
      expect(of('start', runs)).to.have.length(all.length);
      expect(of('stop', runs)).to.deep.equal(of('start', runs).reverse());
    }));

  it('has one entry for each member beside the roll-backs, in every action', () =>
    check(async (all, written) => {
      for (const action of ['start', 'stop', 'restart', 'try-restart', 'status', 'reload', 'configtest']) {
        const { members: said = [] } = await benchOf(all, written).run(action);
        const own = said.filter((each) => !isRollback(each));
        expect(own.map(({ service }) => service)).to.have.members([...all.keys()].map(nameOf));
        expect(own.map((each) => each.action)).to.deep.equal(all.map(() => action));
        expect(own).to.have.length(all.length);
      }
    }));

  it('starts again in a restart all that it stopped, until one does not start', () =>
    check(async (all, written) => {
      const web = benchOf(all, written);
      await web.run('restart');
      const runs = web.ran();
      const stops = of('stop', runs);
      const starts = of('start', runs);
      expect(runs).to.deep.equal([
        ...stops.map((name) => `${name} stop`),
        ...starts.map((name) => `${name} start`),
      ]);
      const inReverse = [...all.keys()].reverse().map(nameOf);
      expect(stops).to.deep.equal(inReverse.slice(0, stops.length));
      const memberOf = (name: string) => all[Number(name.slice(1))];
      const needStart = stops.toReversed().filter((name) => {
        const { stop, before } = memberOf(name) ?? {};
        return stop === 'ok' || before !== 'running';
      });
      const bad = needStart.findIndex((name) => memberOf(name)?.start !== 'ok');
      expect(starts).to.deep.equal(bad < 0 || written === false ? needStart : needStart.slice(0, bad + 1));
    }));

  it('is as its worst member is', () =>
    check(async (all, written) => {
      const { state, exitCode, members: said = [] } = await benchOf(all, written).run('status');
      const found = new Set(all.map(({ before }) => before));
      const worst = found.has('failed')
        ? 'failed'
        : found.has('unknown')
          ? 'unknown'
          : found.has('stopped')
            ? 'stopped'
            : 'running';
      expect(state).to.equal(worst);
      expect(exitCode).to.equal({ failed: 1, unknown: 4, stopped: 3, running: 0 }[worst]);
      expect(said.map((each) => each.state)).to.deep.equal(all.map(({ before }) => before));
    }));
});
