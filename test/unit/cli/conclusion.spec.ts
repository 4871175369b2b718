import { expect } from 'chai';
import { announceAbsent, nameAnswered, nameSilent, sayStopped } from '../../../src/cli/conclusion.ts';
import { Output } from '../../../src/cli/output.ts';
import type { Absence } from '../../../src/client/index.ts';
import { outcomes } from '../../../src/core/outcome.ts';
import type { Answer } from '../../../src/wire/result.ts';
import { statusAnswer, troubleAnswer } from '../../fakes/answers.ts';
import { RecordedTerminal } from '../../fakes/recorded-terminal.ts';
import { type ReportParts, reportOf } from '../../fakes/reports.ts';

async function said(say: (output: Output) => void): Promise<string> {
  const terminal = new RecordedTerminal();
  const output = new Output(terminal);
  say(output);
  await output.flush();
  expect(terminal.out).to.equal('');
  return terminal.error;
}

const announced = (absences: readonly Absence[]) => said((output) => announceAbsent(absences, output));
const named = (parts: ReportParts, absent: readonly string[] = []) =>
  said((output) => nameSilent(reportOf(parts), new Set(absent), output));

function many(count: number, changes: Partial<Absence> = {}): Absence[] {
  return Array.from({ length: count }, (_, at) => ({
    node: `web${at + 1}`,
    lastSeenAgoMs: 60_000 * (at + 1),
    ...changes,
  }));
}

describe('nodes that are not there', () => {
  it('are named one by one, with since when', async () => {
    const left = { node: 'web4', lastSeenAgoMs: 7_300_000, hasLeft: true };
    expect(await announced([{ node: 'web3', lastSeenAgoMs: 185_000 }, left])).to.equal(
      'web3: unreachable, last seen 3 min ago\nweb4: unreachable, left 2 h ago\n',
    );
  });

  it('are named one by one up to twenty, and folded from there on', async () => {
    expect((await announced(many(20))).split('\n')).to.have.lengthOf(21);
    expect(await announced(many(21))).to.equal('unreachable: web[1-21], last seen 1 to 21 min ago\n');
  });

  it('are folded by whether they said goodbye', async () => {
    const left = many(15, { hasLeft: true, lastSeenAgoMs: 5_000 }).map((absence) => ({
      ...absence,
      node: `db-${absence.node}`,
    }));
    expect(await announced([...left, ...many(15)])).to.equal(
      'unreachable: web[1-15], last seen 1 to 15 min ago\nunreachable: db-web[1-15], left 5 s ago\n',
    );
  });

  it('are not mentioned when there are none', async () => expect(await announced([])).to.equal(''));
});

describe('who did not answer', () => {
  it('is not mentioned when all did', async () => {
    expect(await named({ answers: [statusAnswer('web1')] })).to.equal('');
  });

  it('is named at the end, folded, by what became of it', async () => {
    const silent = [
      ['web7', 'running'],
      ['web5', 'no-answer'],
      ['web3', 'no-answer'],
      ['web4', 'no-answer'],
    ] as const;
    expect(await named({ answers: [statusAnswer('web1')], silent })).to.equal(
      'no answer: web[3-5]\nstill running: web7\n',
    );
  });

  it('is named with every outcome there is', async () => {
    const silent = outcomes.map((outcome, at) => [`web${at}`, outcome] as const);
    const text = await named({ silent });
    for (const [node] of silent) expect(text).to.match(new RegExp(`: ${node}$`, 'm'));
    expect(text).to.include('ok, but the answer did not arrive: web0\n');
  });

  it('is not named again when it was not there from the start', async () => {
    const silent = [
      ['web1', 'unreachable'],
      ['web2', 'unreachable'],
    ] as const;
    expect(await named({ silent }, ['web1'])).to.equal('unreachable: web2\n');
  });

  it('is named when it came back and was silent then', async () => {
    expect(await named({ silent: [['web1', 'no-answer']] }, ['web1'])).to.equal('no answer: web1\n');
  });

  it('is told by number of v1 agents, which have no names', async () => {
    expect(await named({ summary: { unnamed: 1, withheld: 2 } })).to.equal(
      'no answer: 1 v1 agent without a name\n' +
        'not asked: 2 v1 agents, because a v1 agent on a shorter topic would act too\n',
    );
  });

  it('is nobody that a v1 manager would name', async () => {
    expect(await named({ summary: { unnamed: 1, isAimKnown: false } })).to.equal(
      'no answer: nobody answered\n',
    );
  });

  it('is nobody when no node is on the topic', async () => {
    expect(await named({ facts: { topic: 'role:wbe' } })).to.equal(
      'service-mgr-client: no node is on topic "role:wbe"\n',
    );
  });

  it('may have sent what could not be read', async () => {
    expect(await named({ answers: [statusAnswer('web1')], summary: { unreadable: 3 } })).to.equal(
      'service-mgr-client: 3 messages could not be read\n',
    );
  });
});

describe('who answered, when the answers are not printed', () => {
  const answered = (...answers: Answer[]) => said((output) => nameAnswered(reportOf({ answers }), output));
  const refused = (node: string, msg: string) => troubleAnswer(node, 'ACTION_NOT_ALLOWED', msg);

  it('is named by how it went', async () => {
    expect(
      await answered(statusAnswer('web1'), statusAnswer('web2', { returncode: 1 }), statusAnswer('web3')),
    ).to.equal('ok: web[1,3]\nfailed: web2\n');
  });

  it('is named with what its output does not tell', async () => {
    expect(
      await answered(
        ...[refused('web1', 'not here'), refused('web2', 'nor there'), refused('web3', 'not here')],
        statusAnswer('web4', {
          verification: {
            isVerified: false,
            reason: 'it is dead',
            after: 'failed',
            changes: 1,
            settleMs: 200,
          },
        }),
        statusAnswer('web5', {
          health: { check: 'tcp:80', isHealthy: false, detail: 'refused', attempts: 1, durationMs: 1 },
        }),
        statusAnswer('web6', { returncode: -15, timedOut: true }),
      ),
    ).to.equal(
      'failed: web6: timed out\n' +
        'unverified: web4: it is dead\nunverified: web5: tcp:80: refused\n' +
        'refused: web[1,3]: not here\nrefused: web2: nor there\n',
    );
  });
});

describe('a rollout that stopped', () => {
  const stopped = {
    rollout: { batch: 2, batches: 5, started: 6, stopped: '3 nodes failed, at most 2 may' },
  };
  const concluded = (parts: ReportParts, attachOptions = '') =>
    said((output) => {
      nameSilent(reportOf(parts), new Set(), output);
      sayStopped(reportOf(parts), { output, attachOptions });
    });
  const id = '0123456789abcdef0123456789abcdef';

  it('says why, where it was not begun, and how to go on', async () => {
    const silent = ['web07', 'web08', 'web09'].map((node) => [node, 'cancelled'] as const);
    const answers = [statusAnswer('web01', { returncode: 1 })];
    expect(await concluded({ answers, silent, summary: stopped }, ' -e tcp://m1:5500')).to.equal(
      [
        'stopped: 3 nodes failed, at most 2 may',
        'not started: web[07-09]',
        `go on with: service-mgr-client requests resume ${id} --remaining --failed -e tcp://m1:5500`,
        '',
      ].join('\n'),
    );
  });

  it('names those that did not answer as ever', async () => {
    const silent = [
      ['web1', 'no-answer'],
      ['web2', 'cancelled'],
    ] as const;
    expect(await concluded({ silent, summary: stopped })).to.equal(
      [
        'no answer: web1',
        'stopped: 3 nodes failed, at most 2 may',
        'not started: web2',
        `go on with: service-mgr-client requests resume ${id} --remaining`,
        '',
      ].join('\n'),
    );
  });

  it('in its last batch leaves only the failed ones', async () => {
    const answers = [statusAnswer('web1', { returncode: 1 })];
    expect(await concluded({ answers, summary: stopped })).to.equal(
      [
        'stopped: 3 nodes failed, at most 2 may',
        `go on with: service-mgr-client requests resume ${id} --failed`,
        '',
      ].join('\n'),
    );
  });

  it('has those left that were ended at work, and those that were not there', async () => {
    for (const outcome of ['cancelled', 'unreachable'] as const) {
      const summary = { ...stopped, outcomes: [{ node: 'web1', outcome }] };
      expect(await concluded({ answers: [statusAnswer('web1')], summary })).to.match(
        new RegExp(`resume ${id} --remaining\\n$`),
      );
    }
  });

  it('is not mentioned when it did not', async () => {
    const summary = { rollout: { batch: 5, batches: 5, started: 20 } };
    expect(await concluded({ silent: [['web1', 'cancelled']], summary })).to.equal('cancelled: web1\n');
  });
});
