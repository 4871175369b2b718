import { expect } from 'chai';
import { summaryOf, summaryOfSilent, summaryOfUnnamed } from '../../../../src/cli/formats/summary.ts';
import { formatTable } from '../../../../src/cli/formats/table.ts';
import type { Answer } from '../../../../src/wire/result.ts';
import {
  hostileText,
  startAnswer,
  statusAnswer,
  terminalControls,
  troubleAnswer,
} from '../../../fakes/answers.ts';

function table(answers: readonly Answer[], isColor: boolean, columns?: number): string {
  return formatTable(answers.map(summaryOf), isColor, columns);
}

describe('table', () => {
  it('prints nothing without answers', () => expect(table([], false)).to.equal(''));

  it('has one line for each answer', () => {
    const answers = [
      statusAnswer('web1', { stdout: 'nginx is running\nsince May\n' }),
      statusAnswer('web10.example.org', {
        returncode: 3,
        state: 'stopped',
        durationMs: 1_200.4,
        stderr: 'not running',
      }),
      statusAnswer('web2', { durationMs: undefined }),
      troubleAnswer('web3', 'ACTION_NOT_ALLOWED', 'action "destroy" is not allowed'),
      troubleAnswer(undefined, '', 'bad message'),
    ];
    expect(table(answers, false)).to.equal(
      [
        'NODE               STATE    CODE     TIME  OUTPUT',
        'web1               running     0    35 ms  nginx is running',
        'web10.example.org  stopped     3  1200 ms  not running',
        'web2               running     0        -',
        'web3               refused     -        -  action "destroy" is not allowed',
        '(unnamed)          failed      -        -  bad message',
        '',
      ].join('\n'),
    );
  });

  it('speaks of outcomes when no state was asked for', () => {
    const ended = startAnswer('web2', { returncode: -15, timedOut: true, stderr: 'killed' });
    expect(table([startAnswer('web1'), ended], false)).to.equal(
      [
        'NODE  OUTCOME             CODE   TIME  OUTPUT',
        'web1  ok                     0  35 ms',
        'web2  failed (timed out)   -15  35 ms  killed',
        '',
      ].join('\n'),
    );
  });

  it('shows the output of what went well, and the errors of what did not', () => {
    const both = { stdout: 'said', stderr: 'warned' };
    const [, well, ill] = table(
      [startAnswer('web1', both), startAnswer('web2', { ...both, returncode: 1 })],
      false,
    ).split('\n');
    expect(well).to.match(/ {2}said$/);
    expect(ill).to.match(/ {2}warned$/);
  });

  it('fits the width of the terminal', () => {
    const answers = [
      startAnswer('web1', { stdout: 'x'.repeat(300) }),
      startAnswer('web2', { stdout: '実'.repeat(50) }),
    ];
    expect(table(answers, false, 50)).to.equal(
      [
        'NODE  OUTCOME  CODE   TIME  OUTPUT',
        `web1  ok          0  35 ms  ${'x'.repeat(19)}...`,
        `web2  ok          0  35 ms  ${'実'.repeat(9)}...`,
        '',
      ].join('\n'),
    );
  });

  it('does not cut what just fits', () => {
    expect(table([startAnswer('web1', { stdout: 'x'.repeat(22) })], false, 50)).to.include('x'.repeat(22));
  });

  it('cuts a very long line also without a width', () => {
    expect(table([startAnswer('web1', { stdout: 'x'.repeat(300) })], false)).to.include(
      `  ${'x'.repeat(197)}...\n`,
    );
  });

  it('keeps names whole and some output on the narrowest terminal', () => {
    const [, row] = table([startAnswer('a-long-node-name', { stdout: 'x'.repeat(99) })], false, 5).split(
      '\n',
    );
    expect(row).to.equal('a-long-node-name  ok          0  35 ms  xxxxxxx...');
  });

  it('aligns columns also where colour is on', () => {
    const answers = [statusAnswer('web1'), statusAnswer('web2', { returncode: 3, state: 'stopped' })];
    expect(table(answers, true)).to.equal(
      [
        'NODE  STATE    CODE   TIME  OUTPUT',
        'web1  \u001b[32mrunning\u001b[39m     0  35 ms',
        'web2  \u001b[33mstopped\u001b[39m     3  35 ms',
        '',
      ].join('\n'),
    );
  });

  it('lets no escape sequence of a node through to the terminal', () => {
    const answers = [
      startAnswer(hostileText, { stdout: hostileText }),
      statusAnswer('web2', { stderr: `\n${hostileText}` }),
      troubleAnswer(hostileText, hostileText, hostileText),
    ];
    expect(table(answers, false, 80)).not.to.match(terminalControls);
    expect(table(answers, false)).to.include('\\x1b[31mred');
  });

  it('shows nodes that did not answer, with what is known of them', () => {
    const summaries = [
      summaryOf(startAnswer('web1')),
      summaryOfSilent({ node: 'web3', outcome: 'unreachable' }, { node: 'web3', lastSeenAgoMs: 185_000 }),
      summaryOfSilent({ node: `web${hostileText}`, outcome: 'no-answer' }, undefined),
      summaryOfUnnamed(2, 'no-answer', 'v1 agents'),
    ];
    const [, one, two, hostile, unnamed] = formatTable(summaries, false).split('\n');
    expect(one).to.match(/^web1 +ok +0 +35 ms$/);
    expect(two).to.match(/^web3 +unreachable +- +- {2}last seen 3 min ago$/);
    expect(hostile).to.match(/^web\\x1b.* no-answer +- +-$/);
    expect(unnamed).to.match(/^\(2 unnamed\) +no-answer +- +- {2}v1 agents$/);
  });
});
