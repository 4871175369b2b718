import { expect } from 'chai';
import type { Outcome } from '../../../src/core/outcome.ts';
import type { NodeName } from '../../../src/wire/fields.ts';
import { startAnswer, troubleAnswer } from '../../fakes/answers.ts';
import { type Running, runClient } from '../../fakes/client-program.ts';
import { requestId, requestInfo, type Script } from '../../fakes/scripted-manager.ts';

const order = ['-T', 'role:web', '-c', 'start', '-s', 'nginx'];
const asked = (...nodes: string[]) => ({ nodes, expected: nodes.length, withheld: 0, unreachable: [] });
const ended = (...outcomes: ReadonlyArray<readonly [string, Outcome]>) => ({
  outcomes: outcomes.map(([node, outcome]) => ({ node: node as NodeName, outcome })),
});
const later = (ms: number) => (running: Running) => running.manager.clock.advanceAsync(ms);

const allWell: Script = {
  accepted: asked('web1', 'web2'),
  answers: [startAnswer('web2'), startAnswer('web1')],
  end: ended(['web1', 'ok'], ['web2', 'ok']),
};

describe('a request', () => {
  it('prints the answers and nothing else when all is well', async () => {
    const run = await runClient(order, allWell);
    expect(run).to.include({ code: 0, error: '' });
    expect(run.out).to.equal(`${JSON.stringify([startAnswer('web1'), startAnswer('web2')], null, 4)}\n`);
  });

  it('says what to do, where, and how long', async () => {
    const { manager } = await runClient([...order, '-w', '7', '-a', '2.5'], allWell);
    expect(manager.requests).to.deep.equal([
      {
        id: requestId,
        ...{ cmd: 'start', topic: 'role:web', service: 'nginx' },
        windowMs: 7_000,
        notAfterMs: manager.clock.wallMs() + 7_000,
        sentAtMs: manager.clock.wallMs(),
        timeoutMs: 2_500,
      },
    ]);
  });

  for (const [offsetMs, direction] of [
    [95_000, 'behind'],
    [-95_000, 'ahead of'],
  ] as const) {
    it(`says that the clock of the manager is ${direction} ours`, async () => {
      const accepted = { ...allWell.accepted, clockOffsetMs: offsetMs };
      const run = await runClient(order, { ...allWell, accepted });
      expect(run).to.include({
        code: 0,
        error: `service-mgr-client: the clock of the manager is 95.0 s ${direction} ours, and 30 s are allowed: check its time service\n`,
      });
    });
  }

  it('says nothing of clocks that are near enough', async () => {
    for (const clockOffsetMs of [30_000, -30_000, 0])
      expect(
        (await runClient(order, { ...allWell, accepted: { ...allWell.accepted, clockOffsetMs } })).error,
      ).to.equal('');
  });

  it('names nodes that are not there at once, while it waits for the others', async () => {
    const unreachable = [
      { node: 'web3', lastSeenAgoMs: 185_000 },
      { node: 'web4', lastSeenAgoMs: 7_300_000, hasLeft: true },
    ];
    let early = '';
    const script = { accepted: { ...asked('web1'), unreachable } };
    const run = await runClient(order, script, {
      meanwhile: async ({ manager, terminal }) => {
        await manager.clock.advanceAsync(1);
        early = terminal.error;
        await manager.clock.advanceAsync(6_000);
      },
    });
    expect(early).to.equal('web3: unreachable, last seen 3 min ago\nweb4: unreachable, left 2 h ago\n');
    expect(run).to.include({ code: 4, out: '[]\n', error: `${early}no answer: web1\n` });
  });

  it('names who did not answer, by the word of the manager', async () => {
    const run = await runClient(order, {
      accepted: asked('web1', 'web3', 'web4', 'web5', 'web7'),
      answers: [startAnswer('web1')],
      end: ended(
        ['web1', 'ok'],
        ['web3', 'no-answer'],
        ['web4', 'no-answer'],
        ['web5', 'no-answer'],
        ['web7', 'running'],
      ),
    });
    expect(run).to.include({ code: 4, error: 'no answer: web[3-5]\nstill running: web7\n' });
  });

  it('counts what failed and who is missing', async () => {
    const run = await runClient(order, {
      accepted: asked('web1', 'web2'),
      answers: [startAnswer('web1', { returncode: 1 })],
      end: ended(['web1', 'failed'], ['web2', 'no-answer']),
    });
    expect(run).to.include({ code: 6, error: 'no answer: web2\n' });
  });

  it('counts v1 agents that did not answer, and those that were not asked', async () => {
    const run = await runClient(order, {
      accepted: { ...asked('web1'), expected: 3, withheld: 1 },
      answers: [startAnswer('web1'), troubleAnswer(undefined, '', 'no')],
      end: { ...ended(['web1', 'ok'], ['unnamed-1', 'failed']), unnamed: 1, withheld: 1 },
    });
    expect(run.code).to.equal(6);
    expect(run.error).to.equal(
      'no answer: 1 v1 agent without a name\n' +
        'not asked: 1 v1 agent, because a v1 agent on a shorter topic would act too\n',
    );
  });

  it('ends at once with 68 when no node is on the topic', async () => {
    const run = await runClient(order, { accepted: asked() });
    expect(run).to.include({ code: 68, out: '[]\n' });
    expect(run.error).to.equal('service-mgr-client: no node is on topic "role:web"\n');
    expect(run.manager.clock.now()).to.equal(0);
  });

  it('is not 68 when the only node is not there', async () => {
    const accepted = { ...asked(), unreachable: [{ node: 'web3', lastSeenAgoMs: 60_000 }] };
    const run = await runClient(order, { accepted, end: ended(['web3', 'unreachable']) });
    expect(run).to.include({ code: 4, error: 'web3: unreachable, last seen 1 min ago\n' });
  });

  it('ends with 4 when nobody answered a v1 manager', async () => {
    const reply = { uuid: requestId, port: 5_750 };
    const run = await runClient(order, { reply }, { meanwhile: later(6_000) });
    expect(run).to.include({ code: 4, out: '[]\n', error: 'no answer: nobody answered\n' });
  });

  it('ends with what was answered under a v1 manager', async () => {
    const reply = { uuid: requestId, port: 5_750 };
    const run = await runClient(
      order,
      { reply, answers: [startAnswer('web1')] },
      { meanwhile: later(6_000) },
    );
    expect(run).to.include({ code: 0, error: '' });
  });

  it('tells of messages that it could not read', async () => {
    const run = await runClient(
      order,
      { accepted: asked('web1') },
      {
        meanwhile: async ({ manager }) => {
          await manager.clock.advanceAsync(1);
          manager.publish(requestId, { nonsense: true });
          await manager.clock.advanceAsync(6_000);
        },
      },
    );
    expect(run.error).to.equal('no answer: web1\nservice-mgr-client: 1 messages could not be read\n');
  });

  describe('within its window', () => {
    it('counts from the start of the program', async () => {
      const times = { startedMs: 600, nowMs: 1_000 };
      const { manager } = await runClient([...order, '-w', '7'], allWell, times);
      expect(manager.requests[0]?.windowMs).to.equal(6_600);
    });

    it('leaves a manager time to reply, however late it has become', async () => {
      const { manager } = await runClient([...order, '-w', '0.1'], allWell, { startedMs: -400 });
      expect(manager.requests[0]?.windowMs).to.equal(50);
    });

    it('ends within 250 ms of it when nobody says that the request is over', async () => {
      let endedAtMs = Number.POSITIVE_INFINITY;
      await runClient(
        [...order, '-w', '2'],
        { accepted: asked('web1') },
        {
          startedMs: -300,
          meanwhile: async ({ manager, terminal }) => {
            while (terminal.out === '') await manager.clock.advanceAsync(10);
            endedAtMs = manager.clock.now() + 300;
          },
        },
      );
      expect(endedAtMs).to.be.within(2_000, 2_250);
    });
  });

  describe('with --async', () => {
    it('prints the id alone and waits for nobody', async () => {
      const run = await runClient([...order, '--async'], { accepted: asked('web1') });
      expect(run).to.include({ code: 0, out: `${requestId}\n`, error: '' });
      expect(run.manager.clock.now()).to.equal(0);
      expect(run.manager.clock.pending).to.deep.equal([]);
    });

    it('names nodes that are not there', async () => {
      const accepted = { ...asked('web1'), unreachable: [{ node: 'web3', lastSeenAgoMs: 60_000 }] };
      const run = await runClient([...order, '--async'], { accepted });
      expect(run).to.include({ code: 0, error: 'web3: unreachable, last seen 1 min ago\n' });
    });

    it('ends with 68 when there is nobody to wait for', async () => {
      const run = await runClient([...order, '--async'], { accepted: asked() });
      expect(run).to.include({ code: 68, out: `${requestId}\n` });
      expect(run.error).to.include('no node is on topic');
    });
  });

  describe('that the user interrupts', () => {
    const slow = { accepted: asked('web1', 'web2'), answers: [startAnswer('web1')] };
    const interrupted = async ({ manager, interrupt }: Running) => {
      await manager.clock.advanceAsync(1_000);
      interrupt();
    };

    it('prints the answers so far, and how to come back', async () => {
      const run = await runClient(order, slow, { meanwhile: interrupted });
      expect(run.code).to.equal(130);
      expect(run.out).to.equal(`${JSON.stringify([startAnswer('web1')], null, 4)}\n`);
      expect(run.error).to.equal(
        `interrupted; request ${requestId} goes on: service-mgr-client requests attach ${requestId}\n`,
      );
    });

    it('says so in the exit code of the full format too', async () => {
      const run = await runClient([...order, '--format', 'full'], slow, { meanwhile: interrupted });
      expect(JSON.parse(run.out)).to.deep.include({ exitCode: 130 });
    });

    it('says how to come back to the same managers', async () => {
      const argv = [...order, '-e', 'tcp://127.0.0.1:5500'];
      const run = await runClient(argv, slow, { meanwhile: interrupted });
      expect(run.error).to.match(new RegExp(`requests attach ${requestId} -e tcp://127.0.0.1:5500\n$`));
    });

    it('promises nothing of a v1 manager, which has no history', async () => {
      const run = await runClient(
        order,
        { reply: { uuid: requestId, port: 5_750 } },
        { meanwhile: interrupted },
      );
      expect(run).to.include({ code: 130, error: `interrupted; request ${requestId} goes on\n` });
    });
  });

  describe('on a terminal', () => {
    const look = { isErrorTerminal: true, isOutTerminal: true, columns: 80 };
    const waiting = { accepted: asked('web1', 'web2', 'web7'), answers: [startAnswer('web1')] };

    it('shows its progress, and takes it away before the answers', async () => {
      const run = await runClient(order, waiting, { terminal: look, meanwhile: later(6_000) });
      const line = '1/3 answered, waiting for web2, web7';
      expect(run.error).to.equal(`\r${line}\r${' '.repeat(line.length + 2)}\rno answer: web[2,7]\n`);
    });

    it('takes its progress away also when there is nothing to say, and the answers go elsewhere', async () => {
      const run = await runClient(
        order,
        { accepted: asked('web1') },
        {
          terminal: { isErrorTerminal: true },
          meanwhile: async ({ manager }) => {
            await manager.clock.advanceAsync(150);
            manager.publish(requestId, startAnswer('web1'));
            await manager.clock.advanceAsync(1);
            manager.publish(`end/${requestId}`, {
              uuid: requestId,
              unnamed: 0,
              withheld: 0,
              isCancelled: false,
              ...ended(['web1', 'ok']),
            });
          },
        },
      );
      expect(run.error).to.match(/^\r0\/1 answered, waiting for web1\r +\r$/);
      expect(run.manager.clock.pending).to.deep.equal([]);
    });

    it('shows no progress when the answers are streamed to it', async () => {
      const argv = [...order, '--format', 'ndjson'];
      const run = await runClient(argv, waiting, { terminal: look, meanwhile: later(6_000) });
      expect(run.error).to.equal('no answer: web[2,7]\n');
    });

    it('shows its progress when the answers are streamed elsewhere', async () => {
      const argv = [...order, '--format', 'ndjson'];
      const terminal = { isErrorTerminal: true };
      const run = await runClient(argv, waiting, { terminal, meanwhile: later(6_000) });
      expect(run.error).to.include('\r1/3 answered');
    });
  });

  it('streams ndjson: each answer is out before the next one comes', async () => {
    let early = '';
    const script = { accepted: asked('web1', 'web2'), answers: [startAnswer('web2')] };
    const run = await runClient([...order, '--format', 'ndjson'], script, {
      meanwhile: async ({ manager, terminal }) => {
        await manager.clock.advanceAsync(1);
        early = terminal.out;
        manager.publish(requestId, startAnswer('web1'));
        await manager.clock.advanceAsync(6_000);
      },
    });
    expect(early).to.equal(`${JSON.stringify(startAnswer('web2'))}\n`);
    expect(run.out).to.equal(`${early}${JSON.stringify(startAnswer('web1'))}\n`);
  });

  it('-D says how many agents it went to', async () => {
    const run = await runClient(['-D', ...order], allWell);
    expect(run.error).to.include(`service-mgr-client: request ${requestId}: sent to 2 agents\n`);
  });
});

describe('a rollout', () => {
  const rollout = [...order, '--batch', '1', '-w', '2'];
  const begun = { batch: 1, batches: 2, started: 1 };
  const history = (changes: object) => ({
    request: {
      request: requestInfo({ endedMs: undefined, rollout: begun, ...changes }),
      ...{ progress: [], unreachable: [], unnamed: 0 },
    },
    answers: { answers: [] },
  });

  it('gives each batch the whole window, and is waited for until its end', async () => {
    const script = { accepted: asked('web1', 'web2'), queries: history({}) };
    const run = await runClient(rollout, script, {
      startedMs: -1_000,
      meanwhile: async ({ manager, terminal }) => {
        await manager.clock.advanceAsync(3_600_000);
        expect(terminal.out).to.equal('');
        manager.publish(requestId, startAnswer('web1'));
        manager.publish(`end/${requestId}`, {
          ...{ uuid: requestId, unnamed: 0, withheld: 0, isCancelled: false, stopped: '1 node failed' },
          outcomes: [
            { node: 'web1', outcome: 'ok' },
            { node: 'web2', outcome: 'cancelled' },
          ],
        });
        await manager.clock.advanceAsync(0);
      },
    });
    expect(run.manager.requests).to.have.lengthOf(1);
    expect(run.manager.requests[0]).to.deep.include({ windowMs: 2_000, rollout: { batch: '1' } });
    expect(run.code).to.equal(2);
    expect(run.error).to.equal(
      'stopped: 1 node failed\nnot started: web2\n' +
        `go on with: service-mgr-client requests resume ${requestId} --remaining\n`,
    );
  });

  it('shows its batches on a terminal', async () => {
    const script = { accepted: asked('web1', 'web2'), queries: history({}) };
    const run = await runClient(rollout, script, {
      terminal: { isErrorTerminal: true },
      meanwhile: async ({ manager, interrupt }) => {
        await manager.clock.advanceAsync(0);
        manager.publish(`rollout/${requestId}`, begun);
        await manager.clock.advanceAsync(1_000);
        interrupt();
      },
    });
    expect(run.error).to.include('batch 1/2: 0 of 1 answered');
  });

  it('says when its manager does not answer, and when it does again, each once', async () => {
    const script = { accepted: asked('web1', 'web2'), queries: history({}) };
    const run = await runClient(rollout, script, {
      meanwhile: async ({ manager, interrupt }) => {
        await manager.clock.advanceAsync(0);
        manager.isSilent = true;
        await manager.clock.advanceAsync(60_000);
        manager.isSilent = false;
        await manager.clock.advanceAsync(60_000);
        interrupt();
      },
    });
    const [silent, back, interrupted, ...rest] = run.error.split('\n');
    expect(silent).to.match(
      /tcp:\/\/localhost:5500 does not answer\. No other manager .* requests attach 0123/,
    );
    expect(back).to.equal('service-mgr-client: tcp://localhost:5500 is there again');
    expect(interrupted).to.equal(
      `interrupted; request ${requestId} goes on: service-mgr-client requests attach ${requestId}`,
    );
    expect([run.code, rest]).to.deep.equal([130, ['']]);
  });

  it('that its manager has forgotten is not waited for', async () => {
    const queries = { request: { success: -1, msg: 'no', code: 'UNKNOWN_REQUEST' } };
    const run = await runClient(rollout, { accepted: asked('web1'), queries }, { meanwhile: later(5_000) });
    expect(run).to.include({ code: 4, out: '[]\n' });
    expect(run.error).to.equal(
      'no answer: web1\nservice-mgr-client: its manager does not know this rollout any more\n',
    );
  });

  it('goes on without the client with --async', async () => {
    const run = await runClient([...rollout, '--async'], { accepted: asked('web1') });
    expect(run).to.include({ code: 0, out: `${requestId}\n`, error: '' });
    expect(run.manager.clock.pending).to.deep.equal([]);
  });
});
