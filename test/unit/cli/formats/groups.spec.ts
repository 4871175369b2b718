import { expect } from 'chai';
import { formatGroups } from '../../../../src/cli/formats/groups.ts';
import { summaryOf, summaryOfSilent, summaryOfUnnamed } from '../../../../src/cli/formats/summary.ts';
import type { Answer } from '../../../../src/wire/result.ts';
import {
  hostileText,
  startAnswer,
  statusAnswer,
  terminalControls,
  troubleAnswer,
} from '../../../fakes/answers.ts';

function many(count: number, answer: (node: string) => Answer): Answer[] {
  return Array.from({ length: count }, (_, at) => answer(`web${String(at + 1).padStart(2, '0')}`));
}

function groups(...answers: Answer[]): string {
  return formatGroups(answers.map(summaryOf), false);
}

describe('groups', () => {
  it('prints nothing without answers', () => expect(groups()).to.equal(''));

  it('puts the biggest group first and says why nodes are not well', () => {
    const stopped = statusAnswer('web39', {
      returncode: 3,
      state: 'stopped',
      stdout: 'nginx is not running\n',
    });
    expect(groups(stopped, ...many(38, (node) => statusAnswer(node)))).to.equal(
      'web[01-38] running\nweb39 stopped (3): nginx is not running\n',
    );
  });

  it('folds a thousand nodes into one line', () => {
    const answers = Array.from({ length: 1_000 }, (_, at) =>
      statusAnswer(`n${at}.example.org`, { stdout: `nginx is running as pid ${at}.` }),
    );
    expect(groups(...answers)).to.equal('n[0-999].example.org running\n');
  });

  it('orders groups of one size by the names of their nodes', () => {
    const states = ['stopped', 'failed', 'not-found'];
    const answers = states.map((state, at) => statusAnswer(`web${10 - at}`, { returncode: 3, state }));
    expect(groups(...answers)).to.equal('web8 not-found (3)\nweb9 failed (3)\nweb10 stopped (3)\n');
  });

  it('shows the outcome of other actions, whatever state they carry', () => {
    const failed = startAnswer('db1', {
      returncode: 1,
      state: 'not-found',
      stderr: 'nginx: unrecognized service',
    });
    expect(groups(startAnswer('web1'), startAnswer('web2'), failed)).to.equal(
      'web[1-2] ok\ndb1 failed (1): nginx: unrecognized service\n',
    );
  });

  it('shows the outcome of a status without a state, as from 2014 agents', () => {
    const answers = many(2, (node) =>
      statusAnswer(node, { state: undefined, stdout: `sshd (pid  ${node.length * 7} 12) is running...` }),
    );
    expect(groups(...answers)).to.equal('web[01-02] ok: sshd (pid N) is running...\n');
  });

  it('shows stderr before stdout of what failed', () => {
    const failed = startAnswer('web1', {
      returncode: 1,
      stdout: 'Starting nginx',
      stderr: 'port 80 is in use',
    });
    expect(groups(failed)).to.equal('web1 failed (1): port 80 is in use [+1 lines]\n');
  });

  it('keeps nodes apart that differ in a later line', () => {
    const [one, other] = [startAnswer('web1', { stdout: 'a\nb' }), startAnswer('web2', { stdout: 'a\nc' })];
    expect(groups(one, other)).to.equal('web1 ok: a [+1 lines]\nweb2 ok: a [+1 lines]\n');
  });

  it('does not mind blanks, line ends and lists of lines', () => {
    const [one, other] = [
      startAnswer('web1', { stdout: 'Starting  nginx\r\n\n' }),
      startAnswer('web2', { stdout: ['Starting nginx\n'] }),
    ];
    expect(groups(one, other)).to.equal('web[1-2] ok: Starting nginx\n');
  });

  it('tells a return code apart from another', () => {
    const [one, other] = [startAnswer('web1', { returncode: 1 }), startAnswer('web2', { returncode: -9 })];
    expect(groups(one, other)).to.equal('web1 failed (1)\nweb2 failed (-9)\n');
  });

  it('tells an action that was ended', () => {
    const ended = { returncode: -15, timedOut: true };
    expect(groups(startAnswer('web1', ended), statusAnswer('web2', { ...ended, state: 'unknown' }))).to.equal(
      'web1 failed (timed out)\nweb2 unknown (timed out)\n',
    );
  });

  it('shows trouble as its outcome and message, also of agents without a name', () => {
    const refused = (node?: string) => troubleAnswer(node, 'TOO_BUSY', 'too many requests are waiting');
    expect(
      groups(refused('web1'), refused('web2'), refused(), refused(), troubleAnswer(undefined, '', 'bad')),
    ).to.equal('web[1-2],(2 unnamed) refused: too many requests are waiting\n(1 unnamed) failed: bad\n');
  });

  it('says once that a policy refuses', () => {
    const denied = (node: string, why: string) => troubleAnswer(node, 'POLICY_DENIED', why);
    const rule = 'refused by line 3: deny * sshd';
    const nobody = 'refused: no rule allows it';
    expect(groups(denied('web1', nobody), denied('web2', rule), denied('web3', 'refusedly'))).to.equal(
      'web1 refused: no rule allows it\nweb2 refused by line 3: deny * sshd\nweb3 refused: refusedly\n',
    );
    const failed = startAnswer('web4', { returncode: 1, stderr: nobody });
    expect(groups(failed)).to.equal('web4 failed (1): refused: no rule allows it\n');
  });

  it('cuts a very long line', () => {
    expect(groups(startAnswer('web1', { stdout: 'x'.repeat(1_000) }))).to.equal(
      `web1 ok: ${'x'.repeat(200)}...\n`,
    );
  });

  it('lets no escape sequence of a node through to the terminal', () => {
    const answers = [
      startAnswer(`web${hostileText}`, { stdout: hostileText, stderr: hostileText }),
      statusAnswer('web2', { state: 'stopped', returncode: 3, stdout: hostileText }),
      troubleAnswer(hostileText, hostileText, hostileText),
    ];
    expect(groups(...answers)).not.to.match(terminalControls);
    expect(groups(...answers)).to.include('\\x1b[31mred');
  });

  it('colours the word only', () => {
    const answers = [
      statusAnswer('web1'),
      statusAnswer('web2', { returncode: 3, state: 'stopped' }),
      startAnswer('web3', { returncode: 1 }),
    ];
    expect(formatGroups(answers.map(summaryOf), true)).to.equal(
      'web1 \u001b[32mrunning\u001b[39m\nweb2 \u001b[33mstopped (3)\u001b[39m\nweb3 \u001b[31mfailed (1)\u001b[39m\n',
    );
  });

  describe('of nodes that did not answer', () => {
    const silent = (...summaries: Parameters<typeof formatGroups>[0]) => formatGroups(summaries, false);
    const unreachable = (node: string, lastSeenAgoMs: number, hasLeft?: true) =>
      summaryOfSilent(
        { node, outcome: 'unreachable' },
        { node, lastSeenAgoMs, ...(hasLeft === undefined ? {} : { hasLeft }) },
      );

    it('say their outcome and since when a node is not there', () => {
      expect(silent(unreachable('web3', 185_000))).to.equal('web3 unreachable (last seen 3 min ago)\n');
    });

    it('put those that were lost and those that left on a line each, with the range of their times', () => {
      const lost = [
        unreachable('web1', 60_000),
        unreachable('web2', 7_200_000),
        unreachable('web3', 120_000),
      ];
      const left = [unreachable('web4', 5_000, true), unreachable('web5', 9_000, true)];
      expect(silent(...left, ...lost)).to.equal(
        'web[1-3] unreachable (last seen 1 min to 2 h ago)\nweb[4-5] unreachable (left 5 to 9 s ago)\n',
      );
    });

    it('are no group with nodes that answered the same', () => {
      const said = summaryOf(troubleAnswer('web1', 'TOO_BUSY', ''));
      expect(silent(said, summaryOfSilent({ node: 'web2', outcome: 'refused' }, undefined))).to.equal(
        'web1 refused\nweb2 refused\n',
      );
    });

    it('count v1 agents without a name, and say why they are there', () => {
      const nobody = summaryOfUnnamed(3, 'refused', 'v1 agents, not asked');
      expect(silent(nobody, summaryOf(startAnswer('web1')))).to.equal(
        '(3 unnamed) refused (v1 agents, not asked)\nweb1 ok\n',
      );
    });

    it('say that an answer was lost', () => {
      expect(silent(summaryOfSilent({ node: 'web1', outcome: 'ok' }, undefined))).to.equal(
        'web1 ok (its answer did not arrive)\n',
      );
    });
  });
});

describe('groups of nodes that are unverified', () => {
  const verification = {
    ...{ isVerified: false, reason: 'stopped 1 s after start', before: 'running', after: 'stopped' },
    ...{ pidBefore: 812, pidAfter: 951, changes: 3, settleMs: 2_000 },
  };

  it('say why, what it was and is, and are one whatever the process ids are', () => {
    const other = { ...verification, pidBefore: 700, pidAfter: 733 };
    expect(
      groups(startAnswer('web1', { verification }), startAnswer('web2', { verification: other })),
    ).to.equal(
      'web[1-2] unverified: stopped 1 s after start (running -> stopped, 3 changes, pid N -> pid N)\n',
    );
  });

  it('say what is known', () => {
    const little = { isVerified: false, after: 'stopped', changes: 1, settleMs: 2_000 };
    expect(groups(startAnswer('web1', { verification: little }))).to.equal(
      'web1 unverified: stopped, 1 change\n',
    );
    const gone = { ...verification, pidAfter: undefined, changes: 0 };
    expect(groups(startAnswer('web1', { verification: gone }))).to.equal(
      'web1 unverified: stopped 1 s after start (running -> stopped, pid N -> no pid)\n',
    );
  });

  it('say what the health check met with', () => {
    const health = { check: 'tcp:80', isHealthy: false, attempts: 4, detail: 'connection refused' };
    expect(groups(startAnswer('web1', { health, stdout: 'started' }))).to.equal(
      'web1 unverified: tcp:80: connection refused [+1 lines]\n',
    );
    const both = startAnswer('web1', { health, verification });
    expect(groups(both)).to.match(/^web1 unverified: stopped 1 s after start .* \[\+1 lines\]\n$/);
  });

  it('let no control through to the terminal', () => {
    const health = { check: hostileText, isHealthy: false, attempts: 1, detail: hostileText };
    const hostile = { ...verification, reason: hostileText };
    expect(groups(startAnswer('web1', { health, verification: hostile }))).not.to.match(terminalControls);
  });
});
