import { expect } from 'chai';
import fc from 'fast-check';
import type { Member } from '../../../src/core/roster.ts';
import { parseTarget } from '../../../src/core/target-parser.ts';
import { PolicyDesk } from '../../../src/manager/policy-desk.ts';
import type { Asker } from '../../../src/security/policy.ts';
import { parsePolicy } from '../../../src/security/policy-parser.ts';
import type { ActionName, NodeName, ServiceName, Topic } from '../../../src/wire/fields.ts';
import { helloOf } from '../../fakes/manager-desks.ts';

const alice: Asker = { role: 'operator', name: 'alice' };
const bob: Asker = { role: 'operator', name: 'bob' };
const watch: Asker = { role: 'monitor', name: 'watch' };

function policyOf(...rules: string[]) {
  const checkTarget = (target: string): void => {
    parseTarget(target, 'at');
  };
  return parsePolicy(rules.join('\n'), { fileName: 'policy', checkTarget });
}

function member(node: string, ...topics: string[]): Member {
  return {
    ...{ node: node as NodeName, presence: 'alive', conflict: [] },
    facts: helloOf(node, { topics: ['any', node, ...topics] as Topic[] }),
    ...{ sinceWallMs: 1, lastSeenMs: 1, lastSeenWallMs: 1 },
  };
}

const members = [member('web1', 'role:web'), member('web2', 'role:web', 'staging'), member('db1', 'role:db')];

function asked(cmd: string, service: string) {
  return { cmd: cmd as ActionName, service: service as ServiceName };
}

function denied(desk: PolicyDesk, asker: Asker, cmd: string, service = 'nginx'): Record<string, string> {
  return Object.fromEntries(desk.denials(asker, asked(cmd, service), members));
}

describe('the policy of a manager', () => {
  it('denies operators nothing as long as it says nothing, and lets monitors look', () => {
    const desk = new PolicyDesk({ rules: [] });
    expect(denied(desk, alice, 'stop')).to.deep.equal({});
    expect(denied(desk, watch, 'status')).to.deep.equal({});
    expect(denied(desk, watch, 'list')).to.deep.equal({});
    expect(denied(desk, watch, 'restart')).to.deep.equal({
      web1: 'refused: no rule allows it',
      web2: 'refused: no rule allows it',
      db1: 'refused: no rule allows it',
    });
  });

  it('denies node by node, and says by which rule', () => {
    const desk = new PolicyDesk(policyOf('', 'deny stop nginx at role:web and not staging'));
    expect(denied(desk, alice, 'stop')).to.deep.equal({
      web1: 'refused by line 2: deny stop nginx at role:web and not staging',
    });
    expect(denied(desk, alice, 'restart')).to.deep.equal({});
    expect(denied(desk, alice, 'stop', 'redis')).to.deep.equal({});
  });

  it('knows a node by its name, by its topics and by expressions over both', () => {
    const at = (target: string) =>
      Object.keys(denied(new PolicyDesk(policyOf(`deny * * at ${target}`)), alice, 'stop'));
    expect(at('web1')).to.deep.equal(['web1']);
    expect(at('web[1-2]')).to.deep.equal(['web1', 'web2']);
    expect(at('role:web')).to.deep.equal(['web1', 'web2']);
    expect(at('any')).to.deep.equal(['web1', 'web2', 'db1']);
    expect(at('not role:web')).to.deep.equal(['db1']);
    expect(at('nosuch')).to.deep.equal([]);
  });

  it('is about whoever asks', () => {
    const desk = new PolicyDesk(policyOf('deny operator:bob stop *', 'deny monitor list *'));
    expect(denied(desk, alice, 'stop')).to.deep.equal({});
    expect(Object.keys(denied(desk, bob, 'stop'))).to.have.length(3);
    expect(denied(desk, watch, 'status')).to.deep.equal({});
    expect(Object.keys(denied(desk, watch, 'list'))).to.have.length(3);
  });

  it('that allows something allows nothing else, and only where it says so', () => {
    const desk = new PolicyDesk(policyOf('allow operator:alice restart nginx at role:web'));
    expect(denied(desk, alice, 'restart')).to.deep.equal({ db1: 'refused: no rule allows it' });
    expect(Object.keys(denied(desk, alice, 'stop'))).to.have.length(3);
    expect(Object.keys(denied(desk, bob, 'restart'))).to.have.length(3);
    expect(Object.keys(denied(desk, watch, 'status'))).to.have.length(3);
  });

  it('is asked about a health check as about an action of its own, which who may only look does not have', () => {
    const check = { ...asked('status', 'nginx'), health: 'exec:web' };
    const desk = new PolicyDesk(policyOf('deny operator:bob health nginx at role:web'));
    expect(desk.denials(alice, check, members).size).to.equal(0);
    expect(Object.fromEntries(desk.denials(bob, check, members))).to.deep.equal({
      web1: 'health check refused by line 1: deny operator:bob health nginx at role:web',
      web2: 'health check refused by line 1: deny operator:bob health nginx at role:web',
    });
    expect(desk.dependsOnPlace(bob, check)).to.equal(true);
    expect(desk.dependsOnPlace(bob, asked('status', 'nginx'))).to.equal(false);
    expect(desk.denials(watch, check, members).get(members[0]?.node as NodeName)).to.equal(
      'health check refused: no rule allows it',
    );
    expect(desk.denials(watch, asked('status', 'nginx'), members).size).to.equal(0);
  });

  it('counts from the next request on when it is replaced', () => {
    const desk = new PolicyDesk(policyOf('deny stop nginx at web1'));
    expect(Object.keys(denied(desk, alice, 'stop'))).to.deep.equal(['web1']);
    desk.replace(policyOf('deny stop nginx at web2'));
    expect(Object.keys(denied(desk, alice, 'stop'))).to.deep.equal(['web2']);
    desk.replace({ rules: [] });
    expect(denied(desk, alice, 'stop')).to.deep.equal({});
  });

  it('is asked about what a node listens to now', () => {
    const desk = new PolicyDesk(policyOf('deny stop nginx at role:db'));
    const moved = [member('web1', 'role:db'), member('db1')];
    expect([...desk.denials(alice, asked('stop', 'nginx'), moved).keys()]).to.deep.equal(['web1']);
  });

  it('denies nobody of nobody', () => {
    const desk = new PolicyDesk(policyOf('deny * *'));
    expect(desk.denials(alice, asked('stop', 'nginx'), []).size).to.equal(0);
  });
});

describe('whether it depends on the place what is allowed', () => {
  const depends = (rules: string[], asker: Asker, cmd: string, service = 'nginx') =>
    new PolicyDesk(policyOf(...rules)).dependsOnPlace(asker, asked(cmd, service));

  it('is so where a rule about this names a place', () => {
    expect(depends(['deny stop nginx at web1'], alice, 'stop')).to.equal(true);
    expect(depends(['allow stop nginx at web1'], alice, 'stop')).to.equal(true);
    expect(depends(['deny stop nginx', 'deny * * at any'], alice, 'stop')).to.equal(true);
  });

  it('is not so where none does', () => {
    expect(depends([], alice, 'stop')).to.equal(false);
    expect(depends(['deny stop nginx'], alice, 'stop')).to.equal(false);
    expect(depends(['deny stop nginx at web1'], alice, 'start')).to.equal(false);
    expect(depends(['deny stop nginx at web1'], alice, 'stop', 'redis')).to.equal(false);
    expect(depends(['deny operator:bob stop nginx at web1'], alice, 'stop')).to.equal(false);
  });

  it('is so wherever two nodes are treated differently', () => {
    const rule = fc
      .tuple(
        fc.constantFrom('allow', 'deny'),
        fc.constantFrom('', 'operator', 'operator:alice', 'monitor'),
        fc.constantFrom('*', '@read', 'stop', 'status,restart'),
        fc.constantFrom('*', 'nginx', 'red*'),
        fc.constantFrom('', ' at web1', ' at role:web', ' at not role:db', ' at any', ' at nosuch'),
      )
      .map(([verb, who, actions, services, at]) => `${verb} ${who} ${actions} ${services}${at}`);
    const question = fc.tuple(
      fc.constantFrom(alice, bob, watch),
      fc.constantFrom('stop', 'status', 'restart'),
      fc.constantFrom('nginx', 'redis'),
    );
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 5 }), question, (rules, [asker, cmd, service]) => {
        const desk = new PolicyDesk(policyOf(...rules));
        const count = desk.denials(asker, asked(cmd, service), members).size;
        const isSplit = count > 0 && count < members.length;
        expect(isSplit && !desk.dependsOnPlace(asker, asked(cmd, service))).to.equal(false);
        // One by one it is the same as all at once.
        const single = members.filter((one) => desk.denials(asker, asked(cmd, service), [one]).size > 0);
        expect(single).to.have.length(count);
      }),
    );
  });
});

describe('a question about the policy', () => {
  const question = { role: 'operator', name: 'alice' as NodeName, target: 'any' } as const;
  const test = (rules: string[], cmd: string, service = 'nginx') =>
    new PolicyDesk(policyOf(...rules)).test(
      { ...question, action: cmd as ActionName, service: service as ServiceName },
      members,
    ).groups;

  it('is answered for nodes of which the same is said together, with each rule that is about it', () => {
    const rules = ['deny stop nginx at web1', 'deny * * at role:web', 'allow operator stop nginx'];
    expect(test(rules, 'stop')).to.deep.equal([
      {
        nodes: ['web1'],
        isAllowed: false,
        explanation: [
          'refused by line 1: deny stop nginx at web1',
          'also matches line 2: deny * * at role:web',
          'also matches line 3: allow operator stop nginx',
        ].join('\n'),
      },
      {
        nodes: ['web2'],
        isAllowed: false,
        explanation: [
          'refused by line 2: deny * * at role:web',
          'also matches line 3: allow operator stop nginx',
        ].join('\n'),
      },
      { nodes: ['db1'], isAllowed: true, explanation: 'allowed by line 3: allow operator stop nginx' },
    ]);
  });

  it('is answered by the default where no rule is about it', () => {
    expect(test([], 'stop')).to.deep.equal([
      {
        nodes: ['web1', 'web2', 'db1'],
        isAllowed: true,
        explanation: 'allowed by the default: allow operator * *',
      },
    ]);
  });

  it('is answered as a request would be', () => {
    const rules = ['deny stop nginx at role:web', 'allow operator:alice stop,start nginx'];
    const desk = new PolicyDesk(policyOf(...rules));
    for (const cmd of ['stop', 'start', 'status']) {
      const refused = test(rules, cmd).flatMap(({ nodes, isAllowed }) => (isAllowed ? [] : nodes));
      expect(refused).to.have.members(Object.keys(denied(desk, alice, cmd)));
    }
  });
});
