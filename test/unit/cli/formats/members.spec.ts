import { expect } from 'chai';
import { formatGroups } from '../../../../src/cli/formats/groups.ts';
import { membersLine } from '../../../../src/cli/formats/members.ts';
import { summaryOf } from '../../../../src/cli/formats/summary.ts';
import { formatTable } from '../../../../src/cli/formats/table.ts';
import type { MemberResult } from '../../../../src/wire/result.ts';
import { hostileText, startAnswer, statusAnswer, terminalControls } from '../../../fakes/answers.ts';

function member(service: string, changes: Partial<MemberResult> = {}): MemberResult {
  const ok = { action: 'start', outcome: 'ok', returncode: 0, state: 'running' } as const;
  return { ...{ service, ...ok, stdout: '', stderr: '', durationMs: 1 }, ...changes };
}

const failed = member('nginx', {
  outcome: 'failed',
  returncode: 7,
  state: 'unknown',
  stderr: '\nport is taken\nsorry\n',
});
const untried = member('mail', { outcome: 'cancelled', returncode: 1, state: 'unknown' });

describe('the members of a bundle on one line', () => {
  it('are counted when all went well', () => {
    expect(membersLine([member('db')], false)).to.equal('1 member');
    expect(membersLine([member('db'), member('app')], true)).to.equal('2 members');
  });

  it('are named when they did not go well, with what they said', () => {
    expect(membersLine([member('db'), failed, untried], false)).to.equal(
      'nginx failed (7): port is taken; mail cancelled',
    );
  });

  it('are named with what was rolled back', () => {
    const back = member('db', { action: 'stop', isRollback: true });
    const stuck = member('app', { action: 'stop', isRollback: true, outcome: 'failed', returncode: 1 });
    expect(membersLine([member('db'), failed, stuck, back], false)).to.equal(
      'nginx failed (7): port is taken; rolled back app (failed), db',
    );
  });

  it('are told of by their time limit, by what was seen of them, and by their other name', () => {
    const slow = member('db', { outcome: 'failed', returncode: -15, timedOut: true });
    const verification = {
      isVerified: false,
      reason: 'it stopped again',
      after: 'failed',
      changes: 1,
      settleMs: 9,
    } as const;
    const unverified = member('cron', { outcome: 'unverified', ranAs: 'crond', verification });
    expect(membersLine([slow, unverified], false)).to.equal(
      'db failed (timed out); cron (as crond) unverified: it stopped again',
    );
  });

  it('of a status are named with their state, unless they run', () => {
    const stopped = member('app', {
      outcome: 'failed',
      returncode: 3,
      state: 'stopped',
      stdout: 'app is down\n',
    });
    expect(membersLine([member('db'), stopped, untried], true)).to.equal('app stopped; mail cancelled');
  });
});

describe('a bundle in the formats for people', () => {
  it('is a row of the table with its state, and the members that are to blame', () => {
    const stopped = member('app', { outcome: 'failed', returncode: 3, state: 'stopped' });
    const bundle = { stdout: '== db ==\nruns\n' };
    const answers = [
      statusAnswer('web1', { ...bundle, members: [member('db'), member('app')] }),
      statusAnswer('web2', { ...bundle, returncode: 3, state: 'stopped', members: [member('db'), stopped] }),
    ];
    expect(formatTable(answers.map(summaryOf), false)).to.equal(
      [
        'NODE  STATE    CODE   TIME  OUTPUT',
        'web1  running     0  35 ms  2 members',
        'web2  stopped     3  35 ms  app stopped',
        '',
      ].join('\n'),
    );
  });

  it('is grouped by what became of its members', () => {
    const bad = { returncode: 7, members: [member('db'), failed] };
    const answers = [
      startAnswer('web1', { members: [member('db'), member('nginx')] }),
      startAnswer('web2', bad),
      startAnswer('web3', bad),
    ];
    expect(formatGroups(answers.map(summaryOf), false)).to.equal(
      'web[2-3] failed (7): nginx failed (7): port is taken\nweb1 ok: 2 members\n',
    );
  });

  it('lets no escape sequence of a node through to the terminal', () => {
    const verification = {
      isVerified: false,
      reason: hostileText,
      after: 'failed',
      changes: 1,
      settleMs: 9,
    } as const;
    const members = [
      member(hostileText, { outcome: 'failed', stderr: hostileText, ranAs: hostileText }),
      member(hostileText, { outcome: 'unverified', verification }),
      member(hostileText, { isRollback: true }),
    ];
    for (const isStatus of [true, false])
      expect(membersLine(members, isStatus)).not.to.match(terminalControls);
    const named = summaryOf(statusAnswer('web1', { ranAs: hostileText }));
    expect(named.lines.join('')).not.to.match(terminalControls);
  });
});

describe('a service that ran under another name', () => {
  it('is shown with it', () => {
    expect(
      summaryOf(statusAnswer('web1', { ranAs: 'crond', stdout: 'is running\nfine\n' })).lines,
    ).to.deep.equal(['as crond: is running', 'fine']);
    expect(summaryOf(startAnswer('web1', { ranAs: 'crond' })).lines).to.deep.equal(['as crond']);
  });
});
