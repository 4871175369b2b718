import { expect } from 'chai';
import type { NodeName } from '../../../../src/wire/fields.ts';
import type { Outcome, Phase } from '../../../../src/wire/outcome.ts';
import { failure } from '../../../../src/wire/reply.ts';
import { startAnswer, troubleAnswer } from '../../../fakes/answers.ts';
import { type Running, runClient } from '../../../fakes/client-program.ts';
import { nodeInfo, requestId, requestInfo, type Script } from '../../../fakes/scripted-manager.ts';

type Node = readonly [node: string, outcome: Outcome | undefined, phase?: Phase];

/** The reply to a question for one request. */
function request(nodes: readonly Node[], changes: Readonly<Record<string, unknown>> = {}, more: object = {}) {
  const progress = nodes.map(([node, outcome, phase = 'done']) => ({
    node,
    phase,
    ...(outcome === undefined ? {} : { outcome }),
  }));
  return { request: requestInfo(changes), progress, unreachable: [], unnamed: 0, ...more };
}

const answers = (...texts: object[]) => ({ answers: texts.map((text) => JSON.stringify(text)) });
const open = { endedMs: undefined };
const other = `0123${'9'.repeat(28)}`;

describe('requests list', () => {
  const queries = { requests: { requests: [requestInfo()] } };

  it('prints a table', async () => {
    const run = await runClient(['requests', 'list'], { queries });
    expect(run).to.include({ code: 0, error: '' });
    expect(run.out).to.match(/^ID .*\n0123456789abcdef0123456789abcdef {2}3 min ago .* 1 ok\n$/);
  });

  it('prints JSON, as a document and by the line', async () => {
    const json = await runClient(['requests', 'list', '--format', 'json'], { queries });
    const ndjson = await runClient(['requests', 'list', '--format', 'ndjson'], { queries });
    expect(JSON.parse(json.out)).to.deep.equal([JSON.parse(ndjson.out)]);
    expect(JSON.parse(ndjson.out)).to.include({ id: requestId, opened: '2025-12-31T23:57:00.000Z' });
  });

  it('asks for what is wanted', async () => {
    const conditions = ['--since', '1h', '--node', 'web1', '--service', 'nginx', '--outcome', 'failed'];
    const { manager } = await runClient(['requests', 'list', ...conditions, '--limit', '5'], { queries });
    expect(manager.queries).to.deep.equal([
      {
        ...{ v: 2, query: 'requests', sinceMs: manager.clock.wallMs() - 3_600_000 },
        ...{ node: 'web1', service: 'nginx', outcome: 'failed', limit: 5 },
      },
    ]);
  });

  it('says that nothing matches', async () => {
    const none = { queries: { requests: { requests: [] } } };
    const run = await runClient(['requests', 'list'], none);
    expect(run).to.include({ code: 0, out: '', error: 'service-mgr-client: no request matches\n' });
    expect((await runClient(['requests', 'list', '--format', 'json'], none)).out).to.equal('[]\n');
  });
});

describe('the name of a request', () => {
  const found = { request: request([['web1', 'ok']]), answers: answers(startAnswer('web1')) };
  const both = [requestInfo(), requestInfo({ id: other })];
  const show = (name: string, listed: readonly object[]) =>
    runClient(['requests', 'show', name], { queries: { ...found, requests: { requests: listed } } });

  it('may be its id, which needs no list', async () => {
    const { code, manager } = await show(requestId.toUpperCase(), []);
    expect(code).to.equal(0);
    expect(manager.queries[0]).to.deep.equal({ v: 2, query: 'request', id: requestId });
  });

  it('may be a beginning that no other one shares', async () => {
    const { manager } = await show('01234', both);
    expect(manager.queries.slice(0, 2)).to.deep.equal([
      { v: 2, query: 'requests', limit: 10_000 },
      { v: 2, query: 'request', id: requestId },
    ]);
  });

  it('may not be a beginning of several', async () => {
    const run = await show('0123', both);
    expect(run).to.include({ code: 64, out: '' });
    expect(run.error).to.include('0123 is the beginning of several ids, such as').and.to.include(other);
  });

  it('may be last', async () => {
    const { manager } = await show('last', both.slice(1));
    expect(manager.queries.slice(0, 2)).to.deep.equal([
      { v: 2, query: 'requests', limit: 1 },
      { v: 2, query: 'request', id: other },
    ]);
  });

  it('ends with 68 when there is none', async () => {
    const begins = await show('abc', both);
    expect(begins).to.include({ code: 68, out: '' });
    expect(begins.error).to.equal('service-mgr-client: no request whose id begins with abc is known\n');
    expect(await show('last', [])).to.include({
      code: 68,
      error: 'service-mgr-client: no request is known\n',
    });
    const unknown = { request: failure('UNKNOWN_REQUEST', 'no request of the id') };
    const run = await runClient(['requests', 'show', requestId], { queries: unknown });
    expect(run).to.include({ code: 68, out: '' });
  });
});

describe('requests show', () => {
  const nodes: readonly Node[] = [
    ['web1', 'ok'],
    ['web2', 'failed'],
    ['web3', 'unreachable', 'asked'],
    ['web4', 'unreachable', 'asked'],
  ];
  // web3 has been back since, so nothing is known of its absence then.
  const unreachable = [
    { node: 'web3', lastSeenAgoMs: 2_000 },
    { node: 'web4', lastSeenAgoMs: 7_300_000, hasLeft: true },
  ];
  const counts = { ok: 1, failed: 1, unreachable: 2 };
  const queries = {
    request: request(nodes, { counts }, { unreachable }),
    answers: answers(startAnswer('web2', { returncode: 1, stderr: 'no' }), startAnswer('web1')),
  };
  const head = [
    `request   ${requestId}`,
    'order     restart nginx on role:web',
    'opened    2025-12-31T23:57:00.000Z, 3 min ago',
    'status    over after 4 s',
    'outcomes  1 ok, 1 failed, 2 unreachable',
    '',
  ];
  const show = (...more: string[]) => runClient(['requests', 'show', requestId, ...more], { queries });

  it('prints what was asked for and what became of it, as a table', async () => {
    const run = await show();
    expect(run).to.include({ code: 0, error: '' });
    expect(run.out).to.equal(
      [
        ...head,
        'NODE  OUTCOME      CODE   TIME  OUTPUT',
        'web1  ok              0  35 ms',
        'web2  failed          1  35 ms  no',
        'web3  unreachable     -      -',
        'web4  unreachable     -      -  left 2 h ago',
        '',
      ].join('\n'),
    );
  });

  it('prints the same in groups', async () => {
    const { out } = await show('--format', 'groups');
    expect(out).to.equal(
      [
        ...head,
        'web1 ok',
        'web2 failed (1): no',
        'web3 unreachable',
        'web4 unreachable (left 2 h ago)',
        '',
      ].join('\n'),
    );
  });

  it('prints the answers in the shape of 2014', async () => {
    const { out } = await show('--format', 'json');
    expect(JSON.parse(out)).to.deep.equal([
      startAnswer('web1'),
      startAnswer('web2', { returncode: 1, stderr: 'no' }),
    ]);
  });

  it('prints the whole document, with the exit code that the request itself had', async () => {
    const document = JSON.parse((await show('--format', 'full')).out);
    expect(document.request).to.include({
      ...{ opened: '2025-12-31T23:57:00.000Z', isOver: true, isAimKnown: true },
    });
    expect(document).to.include({ exitCode: 6 });
    expect(document.outcomes[3]).to.deep.equal({
      ...{ node: 'web4', outcome: 'unreachable' },
      ...{ lastSeenAgoMs: 7_300_000, hasLeft: true },
    });
  });

  it('shows nodes of an open request as they would be if it ended now', async () => {
    const still: readonly Node[] = [
      ['web1', undefined, 'asked'],
      ['web2', undefined, 'queued'],
      ['web3', undefined, 'running'],
    ];
    const script = { queries: { request: request(still, { ...open, counts: {} }), answers: answers() } };
    const run = await runClient(['requests', 'show', requestId, '--format', 'groups'], script);
    expect(run.out).to.match(/^status {4}open$/m);
    expect(run.out).to.match(/\n\nweb\[2-3\] running\nweb1 no-answer\n$/);
    const full = await runClient(['requests', 'show', requestId, '--format', 'full'], script);
    expect(JSON.parse(full.out).request).to.include({ isOver: false });
  });

  it('prints the head alone when nobody was meant', async () => {
    const script = { queries: { request: request([], { counts: {} }), answers: answers() } };
    const { code, out } = await runClient(['requests', 'show', requestId], script);
    expect(code).to.equal(0);
    expect(out).to.match(/\noutcomes {2}-\n$/);
  });
});

describe('requests attach', () => {
  it('prints what was answered before, and what still comes', async () => {
    const script: Script = {
      queries: {
        request: request(
          [
            ['web1', 'ok'],
            ['web2', undefined, 'running'],
          ],
          open,
        ),
        answers: answers(startAnswer('web1')),
      },
      answers: [startAnswer('web2')],
      end: {
        outcomes: [
          { node: 'web1' as NodeName, outcome: 'ok' },
          { node: 'web2' as NodeName, outcome: 'ok' },
        ],
      },
    };
    const run = await runClient(['requests', 'attach', requestId], script);
    expect(run).to.include({ code: 0, error: '' });
    expect(JSON.parse(run.out)).to.deep.equal([startAnswer('web1'), startAnswer('web2')]);
  });

  it('prints a request that is over as if it had just been sent, with its exit code', async () => {
    const nodes: readonly Node[] = [
      ['web1', 'ok'],
      ['web2', 'failed'],
      ['web3', 'no-answer', 'asked'],
      ['web4', 'unreachable', 'asked'],
    ];
    const failed = startAnswer('web2', { returncode: 1 });
    const absence = { unreachable: [{ node: 'web4', lastSeenAgoMs: 7_300_000 }] };
    const queries = { request: request(nodes, {}, absence), answers: answers(startAnswer('web1'), failed) };
    const run = await runClient(['requests', 'attach', requestId, '--format', 'groups'], { queries });
    expect(run.code).to.equal(6);
    expect(run.out).to.equal(
      'web1 ok\nweb2 failed (1)\nweb3 no-answer\nweb4 unreachable (last seen 2 h ago)\n',
    );
    expect(run.error).to.equal('web4: unreachable, last seen 2 h ago\nno answer: web3\n');
    // Nothing more is asked about what is over.
    const asked = run.manager.queries.map(({ query }) => query);
    expect(asked).to.deep.equal(['request', 'request', 'answers', 'request']);
  });

  const waiting = {
    queries: {
      request: request(
        [
          ['web1', undefined, 'running'],
          ['web2', undefined, 'asked'],
        ],
        open,
      ),
      answers: answers(),
    },
  };

  it('waits as long as the request is open', async () => {
    const meanwhile = async ({ manager, terminal, interrupt }: Running) => {
      await manager.clock.advanceAsync(3_600_000);
      expect(terminal.out).to.equal('');
      interrupt();
    };
    const run = await runClient(['requests', 'attach', requestId], waiting, { meanwhile });
    expect(run.code).to.equal(130);
    expect(run.error).to.include(`requests attach ${requestId}`);
  });

  it('ends within -w when it is given, and knows who is at work', async () => {
    let endedAtMs = Number.POSITIVE_INFINITY;
    const meanwhile = async ({ manager, terminal }: Running) => {
      while (terminal.out === '') await manager.clock.advanceAsync(10);
      endedAtMs = manager.clock.now();
    };
    const run = await runClient(['requests', 'attach', requestId, '-w', '2'], waiting, { meanwhile });
    expect(run).to.include({ code: 4, error: 'no answer: web2\nstill running: web1\n' });
    expect(endedAtMs).to.be.within(2_000, 2_250);
  });

  it('ends within -w also when the manager has gone meanwhile', async () => {
    let endedAtMs = Number.POSITIVE_INFINITY;
    const meanwhile = async ({ manager, terminal }: Running) => {
      await manager.clock.advanceAsync(100);
      await manager.close();
      while (terminal.out === '') await manager.clock.advanceAsync(10);
      endedAtMs = manager.clock.now();
    };
    const argv = ['requests', 'attach', requestId, '-w', '2', '-t', '60000'];
    const run = await runClient(argv, waiting, { meanwhile });
    expect(run).to.include({ code: 4, error: 'no answer: web[1-2]\n' });
    expect(endedAtMs).to.be.within(2_000, 2_250);
  });
});

describe('requests cancel', () => {
  const cancelled = troubleAnswer('web2', 'CANCELLED', 'the request was cancelled');
  const end = {
    outcomes: [
      { node: 'web1' as NodeName, outcome: 'ok' as const },
      { node: 'web2' as NodeName, outcome: 'cancelled' as const },
    ],
    isCancelled: true,
  };

  it('cancels, waits until it is over, and prints what became of it', async () => {
    const before = request(
      [
        ['web1', 'ok'],
        ['web2', undefined, 'queued'],
      ],
      open,
    );
    const script = {
      queries: { request: before, cancel: before, answers: answers(startAnswer('web1')) },
      answers: [cancelled],
      end,
    };
    const run = await runClient(['requests', 'cancel', requestId], script);
    expect(run).to.include({ code: 2, error: '' });
    expect(run.out).to.equal(
      [
        'NODE  OUTCOME    CODE   TIME  OUTPUT',
        'web1  ok            0  35 ms',
        'web2  cancelled     -      -  the request was cancelled',
        '',
      ].join('\n'),
    );
    expect(run.manager.queries.map(({ query }) => query)).to.include('cancel');
  });

  it('waits no longer than its window', async () => {
    const before = request([['web1', undefined, 'running']], open);
    const script = { queries: { request: before, cancel: before, answers: answers() } };
    const meanwhile = ({ manager }: Running) => manager.clock.advanceAsync(5_250);
    const run = await runClient(['requests', 'cancel', requestId], script, { meanwhile });
    expect(run).to.include({ code: 4, error: 'still running: web1\n' });
  });

  it('cancels nothing that is over, and says so', async () => {
    const queries = { request: request([['web1', 'ok']]), answers: answers(startAnswer('web1')) };
    const run = await runClient(['requests', 'cancel', requestId], { queries });
    expect(run).to.include({ code: 0, error: `service-mgr-client: request ${requestId} was over already\n` });
    expect(run.out).to.include('web1');
    expect(run.manager.queries.map(({ query }) => query)).not.to.include('cancel');
  });
});

describe('requests retry --failed', () => {
  const nodes: readonly Node[] = [
    ['web1', 'ok'],
    ['web2', 'failed'],
    ['web3', 'unreachable', 'asked'],
    ['old1', 'failed'],
    ['web5', undefined, 'running'],
  ];
  const known = { nodes: ['web1', 'web2', 'web3', 'web5'].map((name) => nodeInfo(name)), unnamed: 0 };
  const script: Script = {
    queries: { request: request(nodes, open), nodes: known },
    accepted: { nodes: ['web2'], expected: 1, unreachable: [{ node: 'web3', lastSeenAgoMs: 60_000 }] },
    answers: [startAnswer('web2')],
    end: {
      outcomes: [
        { node: 'web2' as NodeName, outcome: 'ok' },
        { node: 'web3' as NodeName, outcome: 'unreachable' },
      ],
    },
  };
  const left = 'not retried, not over yet: web5\nnot retried, not known by name: old1\n';

  it('sends the same order to the nodes where it did not go well, and prints their answers', async () => {
    const run = await runClient(['requests', 'retry', requestId, '--failed'], script);
    expect(run.code).to.equal(4);
    expect(JSON.parse(run.out)).to.deep.equal([startAnswer('web2')]);
    expect(run.error).to.equal(`${left}web3: unreachable, last seen 1 min ago\n`);
    expect(run.manager.requests).to.have.lengthOf(1);
    expect(run.manager.requests[0]).to.deep.include({
      ...{ cmd: 'restart', topic: 'role:web', service: 'nginx', nodes: ['web2', 'web3'], windowMs: 5_000 },
    });
  });

  it('-D says whom it is sent to', async () => {
    const run = await runClient(['-D', 'requests', 'retry', requestId, '--failed'], script);
    expect(run.error).to.include(`service-mgr-client: retry of request ${requestId} on web[2-3]\n`);
  });

  it('takes the options of a request', async () => {
    const argv = ['requests', 'retry', requestId, '--failed', '--async', '-a', '3', '-w', '9'];
    const run = await runClient(argv, script);
    expect(run).to.include({ code: 0, out: `${requestId}\n` });
    expect(run.manager.requests[0]).to.include({ timeoutMs: 3_000, windowMs: 9_000 });
  });

  it('says that there is nothing to retry, and ends with 0', async () => {
    const run = await runClient(['requests', 'retry', requestId, '--failed'], {
      queries: { request: request([['web1', 'ok']]), nodes: known },
    });
    expect(run).to.include({
      ...{ code: 0, out: '' },
      error: `service-mgr-client: nothing to retry of request ${requestId}\n`,
    });
    expect(run.manager.requests).to.deep.equal([]);
  });

  it('ends with 68 when there is something, but no node that can be called by name', async () => {
    const run = await runClient(['requests', 'retry', requestId, '--failed'], {
      queries: { request: request([['old1', 'failed']]), nodes: known },
    });
    expect(run).to.include({ code: 68, out: '' });
    expect(run.error).to.include('not retried, not known by name: old1\n');
  });
});

describe('requests resume', () => {
  const nodes: readonly Node[] = [
    ['web1', 'ok'],
    ['web2', 'failed'],
    ['web3', 'unverified'],
    ['web4', 'cancelled'],
    ['web5', 'no-answer'],
    ['web6', 'unreachable'],
    ['web7', 'running'],
    ['web8', 'interrupted'],
    ['old1', 'cancelled'],
  ];
  const known = { nodes: nodes.slice(0, -1).map(([name]) => nodeInfo(name)), unnamed: 0 };
  const rollout = { batch: '25%', canary: 1, maxFail: '2' };
  const body = JSON.stringify({
    ...{
      id: requestId,
      cmd: 'restart',
      topic: 'role:web',
      service: 'nginx',
      windowMs: 60_000,
      seed: 1,
      limit: '9',
    },
    ...{ rollout, settleMs: 9_000, health: 'tcp:80', timeoutMs: 3_000, plan: '0123456789abcdef' },
  });
  const script: Script = {
    queries: { request: request(nodes, {}, { body }), nodes: known },
    accepted: { nodes: ['web2'], expected: 1, unreachable: [] },
    end: {},
  };
  const resume = (...more: string[]) => runClient(['requests', 'resume', requestId, ...more], script);

  for (const [options, expected] of [
    ['--failed', ['web2', 'web3', 'web8']],
    ['--remaining', ['web4', 'web5', 'web6', 'web7']],
    ['--failed --remaining', ['web2', 'web3', 'web4', 'web5', 'web6', 'web7', 'web8']],
  ] as const) {
    it(`${options} sends it to ${expected.join(', ')}`, async () => {
      const { manager } = await resume(...options.split(' '));
      expect(manager.requests).to.have.lengthOf(1);
      expect(manager.requests[0]?.nodes).to.deep.equal(expected);
    });
  }

  it('keeps the rollout and the checks, and nothing of whom it was aimed at', async () => {
    const { manager } = await resume('--remaining');
    expect(manager.requests[0]).to.deep.equal({
      ...{ id: requestId, cmd: 'restart', topic: 'role:web', service: 'nginx' },
      nodes: ['web4', 'web5', 'web6', 'web7'],
      ...{ rollout, settleMs: 9_000, health: 'tcp:80', timeoutMs: 3_000, windowMs: 120_000 },
      notAfterMs: manager.clock.wallMs() + 86_400_000,
      sentAtMs: manager.clock.wallMs(),
    });
  });

  it('takes other options in their place', async () => {
    const { manager } = await resume('--failed', '--max-fail', '50%', '--settle', '0', '-a', '9');
    expect(manager.requests[0]).to.deep.include({
      ...{ rollout: { ...rollout, maxFail: '50%' }, settleMs: 0, timeoutMs: 9_000, health: 'tcp:80' },
    });
  });

  it('may be planned first', async () => {
    const run = await resume('--failed', '--dry-run');
    expect(run.out).to.include('alive (1): web2\n');
    expect(run.manager.requests).to.deep.equal([]);
  });

  it('names who cannot be called by name', async () => {
    const run = await resume('--remaining');
    expect(run.error).to.include('not resumed, not known by name: old1\n');
  });

  it('is refused while it is open', async () => {
    const queries = { request: request(nodes, open, { body }), nodes: known };
    const run = await runClient(['requests', 'resume', requestId, '--failed'], { queries });
    expect(run).to.include({ code: 64, out: '' });
    expect(run.error).to.include(`request ${requestId} is not over`);
    expect(run.manager.requests).to.deep.equal([]);
  });

  it('is refused when the manager does not say how it was sent', async () => {
    const queries = { request: request(nodes), nodes: known };
    const run = await runClient(['requests', 'resume', requestId, '--failed'], { queries });
    expect(run).to.include({ code: 69, out: '' });
    expect(run.manager.requests).to.deep.equal([]);
  });

  it('says that there is nothing to resume, and ends with 0', async () => {
    const queries = { request: request([['web1', 'ok']], {}, { body }), nodes: known };
    const run = await runClient(['requests', 'resume', requestId, '--failed', '--remaining'], { queries });
    expect(run).to.include({
      ...{ code: 0, out: '' },
      error: `service-mgr-client: nothing to resume of request ${requestId}\n`,
    });
  });
});

describe('requests show, of a rollout', () => {
  const answered = answers(startAnswer('web1', {}));
  const nodes: readonly Node[] = [
    ['web1', 'ok'],
    ['web2', undefined, 'running'],
    ['web3', undefined, 'waiting'],
  ];
  const rollout = { batch: 2, batches: 3, started: 2 };
  const showing = async (changes: Readonly<Record<string, unknown>>) => {
    const queries = { request: request(nodes, changes), answers: answered };
    const { out } = await runClient(['requests', 'show', requestId], { queries });
    return out.split('\n').filter((line) => line.startsWith('web'));
  };

  it('says of whom the turn has not come while it goes on', async () => {
    const [, second, third] = await showing({ rollout, endedMs: undefined });
    expect(second).to.match(/^web2 {2}running/);
    expect(third).to.match(/^web3 {2}waiting .*its turn has not come$/);
  });

  it('says nothing of the kind when it stops', async () => {
    const stopped = { ...rollout, stopped: '1 node failed' };
    const [, , third] = await showing({ rollout: stopped, endedMs: undefined });
    expect(third).to.match(/^web3 {2}cancelled/);
  });
});

describe('requests attach, of a rollout', () => {
  it('shows why it stopped, as who sent it would have seen', async () => {
    const rollout = { batch: 1, batches: 2, started: 1, stopped: '1 node failed' };
    const nodes: readonly Node[] = [
      ['web1', 'failed'],
      ['web2', 'cancelled'],
    ];
    const queries = {
      request: request(nodes, { rollout }),
      answers: answers(startAnswer('web1', { returncode: 1 })),
    };
    const run = await runClient(['requests', 'attach', requestId], { queries });
    expect(run.code).to.equal(2);
    expect(run.error).to.include('stopped: 1 node failed\nnot started: web2\n');
  });
});
