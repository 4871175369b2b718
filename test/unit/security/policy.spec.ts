import { expect } from 'chai';
import fc from 'fast-check';
import {
  type Asker,
  decide,
  describeDecision,
  explain,
  isAboutPlaces,
  type Policy,
  type Question,
} from '../../../src/security/policy.ts';
import { parsePolicy } from '../../../src/security/policy-parser.ts';

const alice: Asker = { role: 'operator', name: 'alice' };
const eyes: Asker = { role: 'monitor', name: 'eyes' };
const manager: Asker = { role: 'manager', name: 'm1' };
const noTargetIsWrong = { fileName: 'POLICY', checkTarget: () => undefined };

function policy(...lines: string[]): Policy {
  return parsePolicy(lines.join('\n'), noTargetIsWrong);
}

/** A question about a node that is in these targets. */
function question(asker: Asker, action: string, service: string, ...targets: string[]): Question {
  return { asker, action, service, isAt: (target) => targets.includes(target) };
}

const says = (rules: Policy, asked: Question) => describeDecision(decide(rules, asked));

describe('without any rule', () => {
  it('operators, and the manager where it is trusted, may do everything', () => {
    expect(says(policy(), question(alice, 'stop', 'sshd'))).to.equal(
      'allowed by the default: allow operator * *',
    );
    expect(says(policy(), question(manager, 'stop', 'sshd'))).to.equal(
      'allowed by the default: allow manager * *',
    );
  });

  it('monitors may look, and nothing else', () => {
    const allowed = [
      'status',
      'list',
      'start',
      'stop',
      'restart',
      'reload',
      'enable',
      'disable',
      'configtest',
    ].filter((action) => decide(policy(), question(eyes, action, 'sshd')).isAllowed);
    expect(allowed).to.deep.equal(['status', 'list']);
    expect(says(policy(), question(eyes, 'stop', 'sshd'))).to.equal('refused: no rule allows it');
  });
});

describe('a rule that denies', () => {
  it('takes something away from the default', () => {
    const rules = policy('deny stop sshd');
    expect(says(rules, question(alice, 'stop', 'sshd'))).to.equal('refused by line 1: deny stop sshd');
    expect(decide(rules, question(alice, 'restart', 'sshd')).isAllowed).to.equal(true);
    expect(decide(rules, question(alice, 'stop', 'cron')).isAllowed).to.equal(true);
  });

  it('wins over every rule that allows, wherever it stands', () => {
    for (const rules of [policy('deny stop sshd', 'allow * * *'), policy('allow * * *', 'deny stop sshd')]) {
      expect(decide(rules, question(alice, 'stop', 'sshd')).isAllowed).to.equal(false);
    }
  });

  it('is about the service, under whichever of its names it is asked for', () => {
    for (const name of ['sshd', 'sshd.service', 'sshd.sh']) {
      expect(decide(policy('deny stop sshd'), question(alice, 'stop', name)).isAllowed, name).to.equal(false);
      expect(
        decide(policy('deny stop sshd.service'), question(alice, 'stop', name)).isAllowed,
        name,
      ).to.equal(false);
    }
  });
});

describe('a policy that allows something', () => {
  const rules = policy(
    'allow operator:alice start,restart nginx*,postgresql at role:web',
    'allow monitor @read *',
  );

  it('allows that and nothing else', () => {
    const cases: ReadonlyArray<[asked: Question, isAllowed: boolean]> = [
      [question(alice, 'restart', 'nginx-web', 'role:web'), true],
      [question(alice, 'restart', 'postgresql', 'any', 'role:web'), true],
      [question(alice, 'restart', 'nginx', 'role:db'), false],
      [question(alice, 'stop', 'nginx', 'role:web'), false],
      [question(alice, 'restart', 'sshd', 'role:web'), false],
      [question({ role: 'operator', name: 'bob' }, 'restart', 'nginx', 'role:web'), false],
      [question({ role: 'monitor', name: 'alice' }, 'restart', 'nginx', 'role:web'), false],
      [question(manager, 'restart', 'nginx', 'role:web'), false],
      [question(eyes, 'list', 'nginx'), true],
    ];
    for (const [asked, isAllowed] of cases) {
      const { asker, action, service } = asked;
      expect(decide(rules, asked).isAllowed, `${asker.name} ${action} ${service}`).to.equal(isAllowed);
    }
  });

  it('is explained with each rule that is about the question', () => {
    const more = policy(
      'allow * * *',
      'deny monitor stop *',
      'allow operator stop *',
      'deny stop ssh* at any',
    );
    expect(explain(more, question(alice, 'stop', 'sshd', 'any'))).to.equal(
      'refused by line 4: deny stop ssh* at any\n' +
        'also matches line 1: allow * * *\n' +
        'also matches line 3: allow operator stop *',
    );
    expect(explain(policy('deny stop sshd'), question(alice, 'stop', 'sshd'))).to.include(
      'also matches the default: allow operator * *',
    );
  });
});

interface Simple {
  readonly verb: string;
  readonly who: string;
  readonly action: string;
  readonly service: string;
  readonly target: string;
}

const simpleRule: fc.Arbitrary<Simple> = fc.record({
  verb: fc.constantFrom('allow', 'deny'),
  who: fc.constantFrom('*', 'operator', 'monitor', 'operator:alice', 'operator:bob', 'monitor:eyes'),
  action: fc.constantFrom('*', '@read', 'stop', 'status', 'start,stop'),
  service: fc.constantFrom('*', 'sshd', 'ss*', '*d', 'nginx,sshd', 'nginx'),
  target: fc.constantFrom('', 'any', 'web', 'db'),
});
const asked = fc.record({
  asker: fc.constantFrom<Asker>(alice, eyes, { role: 'operator', name: 'bob' }),
  action: fc.constantFrom('stop', 'status', 'start', 'list'),
  service: fc.constantFrom('sshd', 'nginx', 'cron'),
  targets: fc.subarray(['any', 'web', 'db']),
});

function lineOf({ verb, who, action, service, target }: Simple): string {
  return `${verb} ${who} ${action} ${service}${target === '' ? '' : ` at ${target}`}`;
}

/** Written down as one would say it, without the care for order and speed. */
function isMeant(
  rule: Simple,
  { asker, action, service, targets }: typeof asked extends fc.Arbitrary<infer Asked> ? Asked : never,
) {
  const whom = rule.who === '*' || rule.who === asker.role || rule.who === `${asker.role}:${asker.name}`;
  const reads = ['status', 'list'].includes(action);
  const what =
    rule.action === '*' || (rule.action === '@read' && reads) || rule.action.split(',').includes(action);
  const which = rule.service
    .split(',')
    .some((one) => new RegExp(`^${one.replaceAll('*', '.*')}$`).test(service));
  return whom && what && which && (rule.target === '' || targets.includes(rule.target));
}

describe('a policy', () => {
  const about = (rules: Policy, asker: Asker, action: string, service: string): boolean =>
    isAboutPlaces(rules, { asker, action, service });

  it('is about places where a rule about the question asks where it is', () => {
    for (const line of ['deny * nginx at role:web', 'allow operator * * at role:web', 'deny @read * at x'])
      expect(about(policy(line), alice, 'status', 'nginx'), line).to.equal(true);
  });

  it('is the same everywhere where no such rule does', () => {
    for (const line of [
      'deny * nginx',
      'deny * redis at role:web',
      'deny stop nginx at role:web',
      'deny monitor * nginx at role:web',
      'allow operator:bob * nginx at role:web',
      'allow operator * *',
    ])
      expect(about(policy(line), alice, 'status', 'nginx'), line).to.equal(false);
    expect(about(policy(), eyes, 'stop', 'sshd')).to.equal(false);
  });

  it('is about places with one rule that is, whatever stands beside it', () => {
    const rules = policy('deny stop nginx', 'allow operator * *', 'deny restart ngin* at role:web');
    expect(about(rules, alice, 'restart', 'nginx')).to.equal(true);
    expect(about(rules, alice, 'stop', 'nginx')).to.equal(false);
  });
});

describe('a decision', () => {
  const rules = fc.array(simpleRule, { maxLength: 6 });

  it('agrees with the plain meaning of the rules', () => {
    fc.assert(
      fc.property(rules, asked, (all, one) => {
        const hits = all.filter((rule) => isMeant(rule, one));
        const allows = all.some(({ verb }) => verb === 'allow');
        const isReading = ['status', 'list'].includes(one.action);
        const byDefault = !allows && (one.asker.role === 'operator' || isReading);
        const expected =
          !hits.some(({ verb }) => verb === 'deny') &&
          (byDefault || hits.some(({ verb }) => verb === 'allow'));
        const { asker, action, service, targets } = one;
        const decision = decide(policy(...all.map(lineOf)), question(asker, action, service, ...targets));
        expect(decision.isAllowed).to.equal(expected);
      }),
      { numRuns: 3_000 },
    );
  });

  it('is the same on all nodes, unless the policy is about places', () => {
    fc.assert(
      fc.property(rules, asked, (all, { asker, action, service, targets }) => {
        const here = decide(policy(...all.map(lineOf)), question(asker, action, service, ...targets));
        const nowhere = decide(policy(...all.map(lineOf)), question(asker, action, service));
        if (!isAboutPlaces(policy(...all.map(lineOf)), { asker, action, service }))
          expect(here).to.deep.equal(nowhere);
      }),
      { numRuns: 1_000 },
    );
  });

  it('is the same in whatever order the rules stand', () => {
    const shuffled = rules.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(shuffled, asked, ([all, other], { asker, action, service, targets }) => {
        const ask = (some: readonly Simple[]) =>
          decide(policy(...some.map(lineOf)), question(asker, action, service, ...targets)).isAllowed;
        expect(ask(all)).to.equal(ask(other));
      }),
      { numRuns: 1_000 },
    );
  });

  it('never allows more with one more rule that denies', () => {
    fc.assert(
      fc.property(rules, simpleRule, asked, (all, extra, { asker, action, service, targets }) => {
        const ask = (some: readonly Simple[]) =>
          decide(policy(...some.map(lineOf)), question(asker, action, service, ...targets)).isAllowed;
        if (ask([...all, { ...extra, verb: 'deny' }])) expect(ask(all)).to.equal(true);
      }),
      { numRuns: 1_000 },
    );
  });
});
