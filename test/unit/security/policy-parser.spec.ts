import { expect } from 'chai';
import fc from 'fast-check';
import { type PolicySource, parsePolicy, policyLimits } from '../../../src/security/policy-parser.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import { refusalOf } from './refusal.ts';

const source: PolicySource = {
  fileName: 'POLICY',
  checkTarget: (target) => {
    if (target.includes('(')) throw new ServiceManagerError('BAD_TARGET', 'expected ")"\n(\n ^');
  },
};

const ruleOf = (line: string) => parsePolicy(line, source).rules[0];

function problem(text: string, changes: Partial<PolicySource> = {}): string {
  const refusal = refusalOf(() => parsePolicy(text, { ...source, ...changes }));
  expect(refusal.code).to.equal('BAD_CONFIG');
  return refusal.message;
}

describe('a rule', () => {
  const good: ReadonlyArray<[line: string, rule: object]> = [
    ['deny stop sshd', { verb: 'deny', who: {}, actions: ['stop'], services: ['sshd'] }],
    [
      'deny = stop sshd',
      { verb: 'deny', who: {}, actions: ['stop'], services: ['sshd'], text: 'deny stop sshd' },
    ],
    [
      '  deny=stop sshd',
      { verb: 'deny', who: {}, actions: ['stop'], services: ['sshd'], text: 'deny stop sshd' },
    ],
    ['deny * sshd', { who: {}, actions: ['*'], services: ['sshd'] }],
    ['allow * * *', { verb: 'allow', who: {}, actions: ['*'], services: ['*'] }],
    ['allow monitor @read *', { who: { role: 'monitor' }, actions: ['@read'] }],
    ['allow manager status cron', { who: { role: 'manager' } }],
    [
      'allow operator:alice start , stop,\trestart  nginx, postgres* at role:web and not web3 ',
      {
        who: { role: 'operator', name: 'alice' },
        actions: ['start', 'stop', 'restart'],
        services: ['nginx', 'postgres*'],
        target: 'role:web and not web3',
        text: 'allow operator:alice start,stop,restart nginx,postgres* at role:web and not web3',
      },
    ],
    ['deny stop sshd at at', { services: ['sshd'], target: 'at' }],
    ['deny stop at* at web1', { services: ['at*'], target: 'web1' }],
    ['deny stop cron,at at web1', { services: ['cron', 'at'], target: 'web1' }],
    ['deny configtest nginx', { actions: ['configtest'] }],
  ];
  for (const [line, rule] of good) {
    it(`may be "${line}"`, () => {
      const read = ruleOf(line);
      expect(read).to.deep.include(rule);
      // What is shown of a rule is the rule.
      expect(ruleOf(read?.text ?? '')).to.deep.equal(read);
    });
  }

  const forms = 'allow|deny [WHO] ACTION[,ACTION...] SERVICE[,SERVICE...] [at TARGET]';
  const bad: ReadonlyArray<[line: string, place: number, what: string]> = [
    ['permit stop sshd', 1, `expected ${forms}`],
    ['deny', 5, `expected an action, as in ${forms}`],
    ['deny stop', 10, `expected a service, as in ${forms}`],
    ['deny stop at web1', 11, `expected a service before "at", as in ${forms}`],
    ['deny stop sshd at ', 19, 'expected a target behind "at"'],
    ['deny stop sshd at (', 19, 'the target is wrong: expected ")"'],
    [
      'deny bob stop sshd',
      6,
      'expected who: operator, monitor, manager, one of them as in operator:alice, or "*"',
    ],
    [
      'deny operator: stop sshd',
      6,
      'expected who: operator, monitor, manager, one of them as in operator:alice, or "*"',
    ],
    [
      'deny operator:../x stop sshd',
      6,
      'expected who: operator, monitor, manager, one of them as in operator:alice, or "*"',
    ],
    ['deny * stop sshd web1', 18, `expected "at" or the end of ${forms}`],
    [
      'deny Stop sshd',
      6,
      '"Stop" stands in a list, expected an action such as start, "*" for all or "@read" for status and list',
    ],
    [
      'deny stop,,start sshd',
      6,
      'nothing stands in a list, expected an action such as start, "*" for all or "@read" for status and list',
    ],
    [
      'deny stop -x',
      11,
      '"-x" stands in a list, expected a service name, in which "*" stands for any characters',
    ],
    [
      'deny stop ../x',
      11,
      '"../x" stands in a list, expected a service name, in which "*" stands for any characters',
    ],
    ['deny sshd stop', 6, `expected the action before the service, as in ${forms}`],
    ['deny * stop', 6, `expected the action before the service, as in ${forms}`],
    ['allow operator *', 7, `expected the action before the service, as in ${forms}`],
  ];
  for (const [line, place, what] of bad) {
    it(`may not be "${line}"`, () => {
      expect(problem(`# first\n${line}`)).to.equal(
        `POLICY:2:${place}: ${what}\n  ${line}\n  ${' '.repeat(place - 1)}^`,
      );
    });
  }

  it('may name only actions that the host knows, where that is known', () => {
    const extraActions = ['configtest'];
    expect(parsePolicy('deny configtest,stop nginx', { ...source, extraActions }).rules).to.have.length(1);
    expect(problem('deny confgtest *', { extraActions })).to.include(
      'action "confgtest" is unknown, expected one of start,',
    );
    // It is an action to a policy alone, and a good name of a service.
    expect(parsePolicy('deny health *\ndeny stop health', { ...source, extraActions }).rules).to.have.length(
      2,
    );
  });
});

describe('a policy', () => {
  it('has one rule a line, with comments and empty lines between them', () => {
    const text = '\uFEFF# a\r\n\r\n; b\r\ndeny stop sshd\r\n   \r\nallow * * *\r\n';
    expect(parsePolicy(text, source).rules.map(({ line }) => line)).to.deep.equal([4, 6]);
  });

  it('is refused with everything that is wrong, up to 20 mistakes', () => {
    expect(problem('x\ndeny stop sshd\ny').match(/^POLICY:\d/gm)).to.deep.equal(['POLICY:1', 'POLICY:3']);
    expect(problem('x\n'.repeat(100)).match(/^POLICY/gm)).to.have.length(20);
  });

  it('has a bounded size', () => {
    const { rules, lineCharacters, listed, characters } = policyLimits;
    expect(parsePolicy('deny stop sshd\n'.repeat(rules), source).rules).to.have.length(rules);
    expect(problem('deny stop sshd\n'.repeat(rules + 1))).to.include(`more than ${rules} rules`);
    expect(problem(`deny stop ${'s'.repeat(lineCharacters)}`)).to.include(
      `longer than ${lineCharacters} characters`,
    );
    expect(problem(`deny stop ${'s,'.repeat(listed)}s`)).to.include(`more than ${listed} in a list`);
    expect(problem('#'.repeat(characters + 1))).to.equal(`POLICY: longer than ${characters} characters`);
  });

  it('shows the part of a long line in which the mistake is, without control characters', () => {
    const message = problem(`deny stop ${'s,'.repeat(60)}s web1\u001b[31m`);
    const [, text = '', caret = ''] = message.split('\n');
    expect(text.length).to.equal(72);
    expect(text).to.not.include('\u001b');
    expect(caret.trim()).to.equal('^');
  });

  it('is read or refused, whatever it is', () => {
    const words = fc.constantFrom(
      'allow',
      'deny',
      '=',
      'operator:a',
      '*',
      ',',
      'stop',
      'sshd',
      'at',
      'any',
      ' ',
      '\n',
      '\0',
      '"',
    );
    const text = fc.oneof(
      fc.array(words).map((all) => all.join(' ')),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(text, (any) => {
        try {
          for (const rule of parsePolicy(any, source).rules)
            expect(ruleOf(rule.text)).to.deep.include({ text: rule.text });
        } catch (error) {
          expect(error).to.be.instanceOf(ServiceManagerError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
