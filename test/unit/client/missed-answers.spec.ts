import { expect } from 'chai';
import { ServiceManager } from '../../../src/client/index.ts';
import { startAnswer, troubleAnswer } from '../../fakes/answers.ts';
import { Run } from '../../fakes/client-run.ts';
import { requestId, requestInfo, type Script, ScriptedManager } from '../../fakes/scripted-manager.ts';

const nodes = ['web1', 'web2', 'web3'];
const order = { topic: 'any', action: 'restart', service: 'nginx', windowMs: 60_000 };
const stillOpen = { endedMs: undefined };

/** What the manager has in its history: outcomes by node. */
function reply(outcomes: Readonly<Record<string, string>>, changes: Readonly<Record<string, unknown>> = {}) {
  const progress = nodes.map((node) => {
    const outcome = outcomes[node];
    return outcome === undefined ? { node, phase: 'running' } : { node, phase: 'done', outcome };
  });
  return { request: requestInfo(changes), progress, unreachable: [], unnamed: 0 };
}

const answersOf = (...answers: object[]) => ({ answers: answers.map((answer) => JSON.stringify(answer)) });

async function waiting(queries: NonNullable<Script['queries']>, script: Script = {}) {
  const accepted = { nodes, expected: nodes.length };
  const manager = await new ScriptedManager({ accepted, ...script, queries }).start();
  const { clock } = manager;
  const client = new ServiceManager({ endpoints: ['tcp://localhost:5500'] }, manager.deps);
  const run = new Run(client.send(order), clock);
  await clock.advanceAsync(0);
  const asked = (query: string) => manager.queries.filter((each) => each.query === query).length;
  return { manager, clock, client, run, asked };
}

describe('answers that were published while nobody heard them', () => {
  it('are fetched, also while others are still waited for', async () => {
    const { clock, run } = await waiting({
      request: reply({ web1: 'ok' }, stillOpen),
      answers: answersOf(startAnswer('web1')),
    });
    await clock.advanceAsync(5_000);
    expect([run.isOver, run.answeredBy]).to.deep.equal([false, ['web1']]);
  });

  it('are fetched when all is over, and the wait with them', async () => {
    const { clock, run } = await waiting(
      {
        request: reply({ web1: 'ok', web2: 'failed', web3: 'no-answer' }),
        answers: answersOf(startAnswer('web1'), startAnswer('web2', { returncode: 1 })),
      },
      { answers: [startAnswer('web1')] },
    );
    await clock.advanceAsync(5_000);
    expect([run.isOver, run.answeredBy, clock.pending]).to.deep.equal([true, ['web1', 'web2'], []]);
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'failed', web3: 'no-answer' });
  });

  it('are not asked for where none is missing', async () => {
    const { clock, asked } = await waiting(
      { request: reply({ web1: 'ok' }, stillOpen) },
      { answers: [startAnswer('web1')] },
    );
    await clock.advanceAsync(20_000);
    expect([asked('request'), asked('answers')]).to.deep.equal([4, 0]);
  });

  it('are asked for once where there is none: not every outcome has one', async () => {
    const { clock, asked } = await waiting({
      request: reply({ web1: 'unreachable' }, stillOpen),
      answers: answersOf(),
    });
    await clock.advanceAsync(20_000);
    expect([asked('request'), asked('answers')]).to.deep.equal([4, 1]);
  });

  it('are left aside where they have no name: they may be there already', async () => {
    const { clock, run } = await waiting({
      request: reply({ web1: 'ok' }, stillOpen),
      answers: answersOf(troubleAnswer(undefined, 'REFUSED', 'no'), startAnswer('web1')),
    });
    await clock.advanceAsync(5_000);
    expect(run.answeredBy).to.deep.equal(['web1']);
  });

  it('are fetched when the manager can be asked again', async () => {
    const { manager, clock, run } = await waiting({
      request: reply({ web1: 'ok' }, stillOpen),
      answers: answersOf(startAnswer('web1')),
    });
    manager.isSilent = true;
    await clock.advanceAsync(20_000);
    expect([run.isOver, run.answeredBy]).to.deep.equal([false, []]);
    manager.isSilent = false;
    await clock.advanceAsync(6_000);
    expect(run.answeredBy).to.deep.equal(['web1']);
  });

  it('are waited for to the end of the window where the manager does not know the request', async () => {
    const { clock, run } = await waiting({ request: { success: -1, msg: 'no', code: 'UNKNOWN_REQUEST' } });
    await clock.advanceAsync(59_000);
    expect(run.isOver).to.equal(false);
    await clock.advanceAsync(2_000);
    expect([run.isOver, clock.pending]).to.deep.equal([true, []]);
  });

  it('are fetched for whoever attaches, too', async () => {
    const open = reply({}, stillOpen);
    const over = reply({ web1: 'ok', web2: 'ok', web3: 'ok' });
    const all = answersOf(...nodes.map((node) => startAnswer(node)));
    const { clock, client } = await waiting({ request: [open, open, over], answers: [answersOf(), all] });
    const run = new Run(client.history.attach(requestId), clock);
    await clock.advanceAsync(0);
    expect([run.isOver, run.answeredBy]).to.deep.equal([false, []]);
    await clock.advanceAsync(5_000);
    expect([run.isOver, run.answeredBy]).to.deep.equal([true, nodes]);
  });
});
