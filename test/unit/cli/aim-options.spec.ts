import { expect } from 'chai';
import { clientCommand, commandOf } from '../../../src/cli/client-options.ts';
import { RecordedTerminal } from '../../fakes/recorded-terminal.ts';

const task = { topic: 'any', action: 'restart', service: 'nginx' };
const command = (...argv: string[]) =>
  commandOf(clientCommand(new RecordedTerminal()).parse(argv, { from: 'user' }).opts(), task);
const orderOf = (...argv: string[]) => command(...argv).order;

describe('the options of a request', () => {
  it('add nothing when none is given', () => {
    expect(command()).to.deep.equal({
      order: task,
      format: undefined,
      ...{ isAsync: false, isDryRun: false, isConfirmed: false },
    });
  });

  it('say whom to aim at', () => {
    expect(orderOf('-x', 'web3 or db*', '--limit', '25%', '--seed', '7', '--expect', '3')).to.deep.equal({
      ...task,
      ...{ exclude: 'web3 or db*', limit: '25%', seed: 7, expect: 3 },
    });
    expect(orderOf('--plan', '5f1d7a84db00d2fc', '--expect', '0')).to.include({
      ...{ plan: '5f1d7a84db00d2fc', expect: 0 },
    });
  });

  it('say how to look at it', () => {
    expect(command('--dry-run', '--yes', '--async', '--format', 'table')).to.include({
      ...{ isDryRun: true, isConfirmed: true, isAsync: true, format: 'table' },
    });
    expect(command('-y').isConfirmed).to.equal(true);
  });

  it('say what to check', () => {
    expect(orderOf('--settle', '0', '--health', 'http:80/up?x=1', '-a', '3')).to.include({
      ...{ settleMs: 0, health: 'http:80/up?x=1', actionTimeoutMs: 3_000 },
    });
    for (const health of ['tcp:1', 'tcp:65535', 'exec:my-check'])
      expect(orderOf('--health', health)).to.include({ health });
  });

  it('go before those of an earlier request, and leave the others as they were', () => {
    const earlier = { settleMs: 9_000, health: 'tcp:80', rollout: { batch: '5', maxFail: '2' } };
    const options = { maxFail: '10%', settle: 1_000 };
    expect(commandOf(options, task, earlier).order).to.deep.equal({
      ...task,
      ...{ settleMs: 1_000, health: 'tcp:80', rollout: { batch: '5', maxFail: '10%' } },
    });
    expect(commandOf({}, task, earlier).order).to.deep.equal({ ...task, ...earlier });
  });
});

describe('the options of a rollout', () => {
  it('are none without a batch', () => expect(orderOf()).not.to.have.property('rollout'));

  it('say how it goes', () => {
    const argv = ['--batch', '25%', '--canary', '1', '--pause', '10', '--max-fail', '2', '--order', 'random'];
    expect(orderOf(...argv, '--max-unreachable', '0').rollout).to.deep.equal({
      ...{ batch: '25%', canary: 1, pauseMs: 10_000, maxFail: '2', maxUnreachable: '0', order: 'random' },
    });
    expect(orderOf('--batch', '5').rollout).to.deep.equal({ batch: '5' });
  });

  it('may be shuffled by a seed', () => {
    expect(orderOf('--batch', '1', '--order', 'random', '--seed', '7')).to.deep.include({
      ...{ seed: 7, rollout: { batch: '1', order: 'random' } },
    });
    expect(() => orderOf('--batch', '1', '--order', 'name', '--seed', '7')).to.throw('option --seed without');
  });

  it('may be a canary alone, with all the others behind it', () => {
    expect(orderOf('--canary', '2', '--pause', '1m').rollout).to.deep.equal({
      ...{ canary: 2, pauseMs: 60_000, batch: '100%' },
    });
  });
});
