import { expect } from 'chai';
import { exitCodeOf } from '../../src/cli/exit-codes.ts';
import { isServiceAnswer } from '../../src/wire/result.ts';
import type { Run } from '../fakes/client-run.ts';
import { Fleet } from './fleet.ts';
import type { Node } from './node.ts';

const settleMs = 2_000;
const dead = { exitCode: 3, stdout: 'nginx is not running\n' };

async function twoNodes(): Promise<{ fleet: Fleet; web1: Node; web2: Node }> {
  const fleet = await Fleet.start({ nodes: ['web1', 'web2'].map((name) => ({ name, settleMs })) });
  return { fleet, web1: fleet.node('web1'), web2: fleet.node('web2') };
}

function exitCode({ summary }: Run): number {
  return exitCodeOf(summary.outcomes.map(({ outcome }) => outcome));
}

function verificationOf(run: Run, name: string) {
  const results = run.answers.filter(isServiceAnswer).map(({ result }) => result);
  return results.find(({ node }) => node === name)?.verification;
}

describe('an action that says it went well, on a service that is not what it should be', () => {
  it('is unverified with the reason, at the client, in its exit code and in the history', async () => {
    const { fleet, web1 } = await twoNodes();
    web1.processes.answer('service nginx status', dead);
    const run = await fleet.ask({ action: 'start' });
    expect(run.outcomes).to.deep.equal({ web1: 'unverified', web2: 'ok' });
    expect(exitCode(run)).to.equal(2);
    expect(run.answers.map(({ msg }) => msg)).to.deep.equal([
      'Executed service start request',
      'Executed service start request, but the service is stopped',
    ]);
    expect(verificationOf(run, 'web1')).to.deep.equal({
      isVerified: false,
      reason: 'the service is stopped',
      before: 'stopped',
      after: 'stopped',
      changes: 0,
      settleMs,
    });
    const { request } = await fleet.settled(fleet.client().history.show(run.id));
    expect(request.counts).to.deep.equal({ unverified: 1, ok: 1 });
    expect(web1.runs('nginx start')).to.equal(1);
  });

  it('keeps the next action of its service waiting until that is known', async () => {
    const { fleet, web2 } = await twoNodes();
    const first = fleet.send({ action: 'start' });
    await fleet.pass(1_000);
    const second = fleet.send({ action: 'status' });
    await fleet.pass(settleMs - 1_001);
    expect([first.isOver, second.isOver]).to.deep.equal([false, false]);
    await fleet.pass(1);
    expect([first.isOver, second.isOver]).to.deep.equal([true, true]);
    expect(web2.processes.runs.at(-1)).to.equal('service nginx status');
  });

  it('answers at once when it is cancelled meanwhile: the action has run', async () => {
    const { fleet, web1 } = await twoNodes();
    const run = fleet.send({ action: 'start' });
    await fleet.pass(1_000);
    await fleet.settled(fleet.client().history.cancel(run.id));
    await fleet.pass(0);
    expect([run.isOver, run.outcomes]).to.deep.equal([true, { web1: 'unverified', web2: 'unverified' }]);
    expect(verificationOf(run, 'web1')?.reason).to.equal(
      'the request was cancelled before the service had been running for 2 s',
    );
    expect(web1.agent.counters.tasks).to.equal(0);
  });

  it('is known in the end though its agent is stopped meanwhile', async () => {
    const { fleet, web1, web2 } = await twoNodes();
    const run = fleet.send({ action: 'start', windowMs: 20_000 });
    await fleet.pass(1_000);
    await fleet.settled(web1.close());
    expect(fleet.clock.now()).to.be.below(4_000);
    await fleet.until(() => run.isOver, 'it is over');
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'ok' });
    expect(web2.isRunning).to.equal(true);
  });

  it('is told of with what is known when its agent may not wait any longer', async () => {
    const fleet = await Fleet.start({ nodes: [{ name: 'web1', settleMs: 20_000 }] });
    const run = fleet.send({ action: 'start', windowMs: 30_000 });
    await fleet.pass(1_000);
    await fleet.settled(fleet.node('web1').close());
    await fleet.pass(0);
    expect(run.outcomes).to.deep.equal({ web1: 'unverified' });
    expect(verificationOf(run, 'web1')).to.deep.include({
      after: 'running',
      reason: 'the agent was stopped before the service had been running for 20 s',
    });
  });

  it('is not run again when its agent is killed meanwhile', async () => {
    const { fleet, web1 } = await twoNodes();
    const run = fleet.send({ action: 'restart', windowMs: 20_000 });
    await fleet.pass(1_000);
    web1.kill();
    await web1.start();
    await fleet.until(() => run.isOver, 'it is over');
    expect(run.outcomes).to.deep.equal({ web1: 'interrupted', web2: 'ok' });
    expect(web1.runs('nginx restart')).to.equal(1);
  });
});
