import { expect } from 'chai';
import { Gate, type GateRules, type Pass, trustingRules } from '../../../src/agent/gate.ts';
import { parsePolicy } from '../../../src/security/policy-parser.ts';
import { message } from '../../../src/wire/codec.ts';
import type { Signed } from '../../../src/wire/dispatch.ts';
import { NodeName, type RequestId, type ServiceName, type Topic } from '../../../src/wire/fields.ts';
import { RequestBody } from '../../../src/wire/request.ts';
import { keyOwner, signedBy } from '../../fakes/key-owners.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { knownOperators, signedQuery, signedRequest } from '../../fakes/signed-words.ts';
import { idOf } from '../../fakes/stored-requests.ts';

const web1 = message('node', 300, NodeName).parse('web1');
const topics = new Set(['any', 'web1', 'role:web', 'Linux'] as Topic[]);
const alice = keyOwner('operator', 'alice');
const bob = keyOwner('operator', 'bob');
const mallory = keyOwner('operator', 'alice');
const eyes = keyOwner('monitor', 'eyes');
const second = 1_000;
const day = 86_400_000;

/** Members and other names of services at this node. */
const names: Readonly<Record<string, readonly string[]>> = {
  ssh: ['ssh', 'sshd'],
  'bundle:shop': ['bundle:shop', 'nginx', 'postgresql', 'postgres'],
};

function policyOf(...lines: string[]) {
  return parsePolicy(lines.join('\n'), { fileName: 'policy', checkTarget: () => undefined });
}

/** The gate of web1, which trusts nobody but alice, bob and eyes if nothing else is said. */
function gateOf(rules: Partial<GateRules> = {}) {
  const clock = new ManualClock();
  const trust = { kind: 'operators', known: knownOperators(alice, bob, eyes) } as const;
  const gate = new Gate({
    rules: { trust, policy: { rules: [] }, ...rules },
    ...{ clock, node: web1, topics: () => topics },
    namesOf: (service) => (names[service] ?? [service]) as readonly ServiceName[],
  });
  const bodyOf = (changes: Partial<RequestBody> = {}): RequestBody =>
    RequestBody.parse({
      ...{ id: idOf(1), cmd: 'restart', topic: 'any', service: 'nginx' },
      notAfterMs: clock.wallMs() + 5 * second,
      ...changes,
    });
  return {
    ...{ clock, gate, bodyOf },
    /** What becomes of a request that alice has signed. */
    ask: (changes: Partial<RequestBody> = {}, who = alice) => {
      const body = bodyOf(changes);
      return gate.request(body, signedRequest(body, who), 'm1');
    },
  };
}

const trusting = (...lines: string[]) => gateOf({ trust: { kind: 'manager' }, policy: policyOf(...lines) });

function codeOf(pass: Pass): string {
  return pass.isGood ? 'good' : pass.code;
}

function reasonOf(pass: Pass): string {
  return pass.isGood ? 'good' : pass.reason;
}

describe('a gate that trusts its managers', () => {
  it('lets through what comes from them, in the name of the manager', () => {
    const { gate, bodyOf } = gateOf(trustingRules);
    const asker = { role: 'manager', name: 'm1' };
    expect(gate.request(bodyOf(), undefined, 'm1')).to.deep.equal({
      isGood: true,
      asker,
      fingerprint: undefined,
    });
  });

  it('does not ask who has signed it, for whom and until when', () => {
    const { gate, bodyOf } = gateOf(trustingRules);
    const body = bodyOf({ topic: 'role:db', notAfterMs: 1 });
    const signed = { ...signedRequest(body, mallory), signature: 'x' };
    expect(codeOf(gate.request(body, signed, 'm1'))).to.equal('good');
  });

  it('asks its policy about the manager', () => {
    const { gate, bodyOf } = trusting('deny manager:m2 *  *', 'deny manager stop nginx');
    expect(codeOf(gate.request(bodyOf(), undefined, 'm1'))).to.equal('good');
    expect(gate.request(bodyOf(), undefined, 'm2')).to.deep.equal({
      isGood: false,
      code: 'POLICY_DENIED',
      reason: 'refused by line 1: deny manager:m2 * *',
    });
    expect(codeOf(gate.request(bodyOf({ cmd: 'stop' as never }), undefined, 'm1'))).to.equal('POLICY_DENIED');
  });

  it('lets a rule about operators mean nobody, since it does not know who they are', () => {
    const { gate, bodyOf } = trusting('deny operator * *');
    const body = bodyOf();
    expect(codeOf(gate.request(body, signedRequest(body, alice), 'm1'))).to.equal('good');
  });
});

describe('a gate that trusts operators', () => {
  it('lets through what one that it knows has signed for this node, in his name', () => {
    expect(gateOf().ask()).to.deep.equal({
      isGood: true,
      asker: { role: 'operator', name: 'alice' },
      fingerprint: alice.fingerprint,
    });
  });

  it('refuses what is not signed, whatever form it has', () => {
    const { gate, bodyOf } = gateOf();
    const body = bodyOf();
    const unsigned = { ...signedRequest(body, alice), signature: '' };
    for (const signed of [undefined, unsigned]) {
      const pass = gate.request(body, signed, 'm1');
      expect([codeOf(pass), reasonOf(pass)]).to.deep.equal([
        'UNAUTHENTICATED',
        'it is not signed, and this node obeys nobody but the operators that it knows',
      ]);
    }
  });

  it('refuses a signature that is none', () => {
    const { gate, bodyOf } = gateOf();
    const body = bodyOf();
    const { bytes, signature } = signedRequest(body, alice);
    for (const bad of ['x', `${signature}A`, signature.replace('1.', '2.'), signature.slice(0, -1)]) {
      const pass = gate.request(body, { bytes, signature: bad }, 'm1');
      expect([codeOf(pass), reasonOf(pass)]).to.deep.equal([
        'UNAUTHENTICATED',
        'its signature is of no known form',
      ]);
    }
  });

  it('refuses somebody that it does not know, even if he calls himself as one that it knows', () => {
    const pass = gateOf().ask({}, mallory);
    expect(codeOf(pass)).to.equal('UNAUTHENTICATED');
    expect(reasonOf(pass)).to.equal(
      `it is signed with ${mallory.fingerprint}, which this node does not know`,
    );
  });

  it('refuses a signature in the name of somebody else', () => {
    const { gate, bodyOf } = gateOf();
    const body = bodyOf();
    const { bytes, signature } = signedRequest(body, mallory);
    const claimed = signature.replace(mallory.fingerprint, alice.fingerprint);
    const pass = gate.request(body, { bytes, signature: claimed }, 'm1');
    expect(reasonOf(pass)).to.equal(`it is not what ${alice.fingerprint} has signed`);
  });

  it('refuses a body of which a single byte is not as it was signed', () => {
    const { gate, bodyOf } = gateOf();
    const { bytes, signature } = signedRequest(bodyOf(), alice);
    for (let at = 0; at < bytes.byteLength; at += 1) {
      const altered = Buffer.from(bytes);
      altered[at] = (altered[at] ?? 0) ^ 1;
      const body = RequestBody.tryDecode(altered) ?? bodyOf();
      const pass = gate.request(body, { bytes: altered, signature }, 'm1');
      expect(codeOf(pass), `byte ${at}`).to.equal('UNAUTHENTICATED');
    }
    const longer = { bytes: Buffer.concat([bytes, Buffer.from(' ')]), signature };
    expect(codeOf(gate.request(bodyOf(), longer, 'm1'))).to.equal('UNAUTHENTICATED');
  });

  it('refuses the signature of a query under a request', () => {
    const { gate, bodyOf } = gateOf();
    const body = bodyOf();
    const bytes = RequestBody.encode(body);
    const pass = gate.request(body, { bytes, signature: signedBy(alice, 'query', bytes) }, 'm1');
    expect(reasonOf(pass)).to.equal(`it is not what ${alice.fingerprint} has signed`);
  });

  it('refuses what is signed as a request and is none', () => {
    const { gate, bodyOf } = gateOf();
    const bytes = Buffer.from('{"cmd":"restart"}');
    const pass = gate.request(bodyOf(), { bytes, signature: signedBy(alice, 'request', bytes) }, 'm1');
    expect([codeOf(pass), reasonOf(pass)]).to.deep.equal([
      'UNAUTHENTICATED',
      'what was signed is no request',
    ]);
  });

  it('knows the operators of now, from the next request on', () => {
    const { gate, ask } = gateOf();
    expect(codeOf(ask())).to.equal('good');
    gate.replace({
      trust: { kind: 'operators', known: knownOperators(bob) },
      policy: { rules: [] },
    });
    expect([codeOf(ask()), codeOf(ask({}, bob))]).to.deep.equal(['UNAUTHENTICATED', 'good']);
    gate.replace(trustingRules);
    expect(codeOf(ask({}, mallory))).to.equal('good');
  });
});

describe('what was signed for others', () => {
  const meant: ReadonlyArray<[what: string, changes: Partial<RequestBody>, isMeant: boolean]> = [
    ['on a topic of this node', { topic: 'role:web' }, true],
    ['on a topic of others', { topic: 'role:db' }, false],
    ['on the name of this node', { topic: 'web1' }, true],
    ['on a name that begins with it', { topic: 'web10' }, false],
    ['on an expression that means it', { topic: 'role:web and not web2' }, true],
    ['on an expression that means others', { topic: 'any and not web1' }, false],
    ['for a list of nodes with it', { topic: 'x', nodes: ['web2', 'web1'] as NodeName[] }, true],
    ['for a list of nodes without it', { topic: 'any', nodes: ['web2', 'web10'] as NodeName[] }, false],
    ['for all but others', { topic: 'any', exclude: 'web2' }, true],
    ['for all but it', { topic: 'any', exclude: 'role:web' }, false],
  ];
  for (const [what, changes, isMeant] of meant) {
    it(`${what} is ${isMeant ? 'good' : 'refused'} here`, () => {
      expect(codeOf(gateOf().ask(changes))).to.equal(isMeant ? 'good' : 'NOT_MEANT');
    });
  }

  it('is told with whom it was meant for, in a few words', () => {
    const nodes = Array.from({ length: 1_000 }, (_, index) => `db${index}` as NodeName);
    expect(reasonOf(gateOf().ask({ topic: 'role:db' }))).to.equal(
      'what was signed is for "role:db", and that is not this node',
    );
    const long = reasonOf(gateOf().ask({ nodes }));
    expect(long).to.match(/^what was signed is for "db0,db1,/);
    expect(long.length).to.equal(300);
  });
});

describe('what was signed for another time', () => {
  const goodFor = (ms: number) => {
    const { clock, ask } = gateOf();
    return codeOf(ask({ notAfterMs: clock.wallMs() + ms }));
  };

  it('is good until half a minute behind its time, since clocks differ', () => {
    expect([goodFor(-30 * second), goodFor(-30 * second - 1)]).to.deep.equal(['good', 'REQUEST_EXPIRED']);
  });

  it('is good for a day at most: longer than that nobody remembers what was run', () => {
    expect([goodFor(day + 30 * second), goodFor(day + 30 * second + 1)]).to.deep.equal([
      'good',
      'INVALID_MESSAGE',
    ]);
  });

  it('is good for no time where it does not say for which', () => {
    const { gate, bodyOf } = gateOf();
    const { notAfterMs: _, ...body } = bodyOf();
    expect(codeOf(gate.request(body, signedRequest(body, alice), 'm1'))).to.equal('INVALID_MESSAGE');
  });

  it('is not made good by a time that the manager puts beside it', () => {
    const { clock, gate, bodyOf } = gateOf();
    const soon = clock.wallMs() + second;
    const { notAfterMs: _, ...timeless } = bodyOf();
    const eternal = bodyOf({ notAfterMs: clock.wallMs() + 365 * day });
    for (const body of [timeless, eternal]) {
      const pass = gate.request({ ...body, notAfterMs: soon }, signedRequest(body, alice), 'm1');
      expect([codeOf(pass), reasonOf(pass)]).to.deep.equal([
        'INVALID_MESSAGE',
        'field notAfterMs of what was signed, expected a time at most a day ahead',
      ]);
    }
  });
});

describe('the policy of a node', () => {
  const known = { kind: 'operators', known: knownOperators(alice, bob, eyes) } as const;
  const under = (...lines: string[]) => gateOf({ trust: known, policy: policyOf(...lines) });
  const service = (name: string, cmd = 'stop') => ({ service: name as ServiceName, cmd: cmd as never });

  it('lets monitors look and no more, if it says nothing else', () => {
    const { ask } = under();
    expect(['status', 'list'].map((cmd) => codeOf(ask(service('nginx', cmd), eyes)))).to.deep.equal([
      'good',
      'good',
    ]);
    const pass = ask(service('nginx', 'restart'), eyes);
    expect([codeOf(pass), reasonOf(pass)]).to.deep.equal(['POLICY_DENIED', 'refused: no rule allows it']);
  });

  it('names the monitor as who asks', () => {
    expect(under().ask(service('nginx', 'status'), eyes)).to.deep.include({
      asker: { role: 'monitor', name: 'eyes' },
      fingerprint: eyes.fingerprint,
    });
  });

  it('is about whoever has signed, by name', () => {
    const { ask } = under('deny operator:bob * nginx');
    expect([codeOf(ask()), codeOf(ask({}, bob))]).to.deep.equal(['good', 'POLICY_DENIED']);
  });

  it('denies by the name that was given', () => {
    const { ask } = under('deny stop sshd');
    const pass = ask(service('sshd'));
    expect([codeOf(pass), reasonOf(pass)]).to.deep.equal([
      'POLICY_DENIED',
      'refused by line 1: deny stop sshd',
    ]);
    expect(codeOf(ask(service('sshd', 'restart')))).to.equal('good');
    expect(codeOf(ask(service('sshd.service')))).to.equal('POLICY_DENIED');
  });

  it('is asked about a health check as well', () => {
    const { ask } = under('deny health nginx');
    expect(codeOf(ask())).to.equal('good');
    const pass = ask({ health: 'exec:web' });
    expect([codeOf(pass), reasonOf(pass)]).to.deep.equal([
      'POLICY_DENIED',
      'health check refused by line 1: deny health nginx',
    ]);
  });

  it('denies by another name of the service', () => {
    expect(reasonOf(under('deny stop sshd').ask(service('ssh')))).to.equal(
      'refused by line 1: deny stop sshd',
    );
  });

  it('denies by a member of the bundle, and by another name of one', () => {
    for (const denied of ['nginx', 'postgres', 'bundle:shop']) {
      const { ask } = under(`deny stop ${denied}`);
      expect(reasonOf(ask(service('bundle:shop')))).to.equal(`refused by line 1: deny stop ${denied}`);
      expect(codeOf(ask(service('redis')))).to.equal('good');
    }
  });

  it('has to allow the name that was given, and no other one of the service', () => {
    const { ask } = under('allow operator * ssh,bundle:shop');
    expect(['ssh', 'bundle:shop', 'sshd', 'nginx'].map((name) => codeOf(ask(service(name))))).to.deep.equal([
      ...['good', 'good'],
      ...['POLICY_DENIED', 'POLICY_DENIED'],
    ]);
  });

  it('may be about some nodes only, by their topics and names', () => {
    for (const target of ['role:web', 'web1', 'web[1-3] and Linux', 'not role:db'])
      expect(codeOf(under(`deny * nginx at ${target}`).ask()), target).to.equal('POLICY_DENIED');
    for (const target of ['role:db', 'web2', 'web10', 'not Linux'])
      expect(codeOf(under(`deny * nginx at ${target}`).ask()), target).to.equal('good');
    expect(codeOf(under('allow operator * * at role:db').ask())).to.equal('POLICY_DENIED');
    expect(codeOf(under('allow operator * * at role:web').ask())).to.equal('good');
  });

  it('counts from the next request when it is another one', () => {
    const { gate, ask } = under();
    expect(codeOf(ask())).to.equal('good');
    gate.replace({ trust: known, policy: policyOf('deny * nginx') });
    expect(codeOf(ask())).to.equal('POLICY_DENIED');
  });

  it('is not asked about what nobody has signed', () => {
    const { gate, bodyOf } = under('deny * *');
    expect(codeOf(gate.request(bodyOf(), undefined, 'm1'))).to.equal('UNAUTHENTICATED');
  });
});

describe('the word to end what runs', () => {
  const mayEnd = (signed: Signed | undefined, rules: Partial<GateRules> = {}): boolean => {
    const { gate, bodyOf } = gateOf(rules);
    return gate.mayEnd(bodyOf(), signed);
  };
  const cancelOf = (id: RequestId, who = alice) => signedQuery({ id }, who);

  it('may come from a manager that is trusted', () => {
    expect(mayEnd(undefined, trustingRules)).to.equal(true);
  });

  it('has to be signed by an operator else, by whichever one', () => {
    expect([mayEnd(cancelOf(idOf(1))), mayEnd(cancelOf(idOf(1), bob))]).to.deep.equal([true, true]);
  });

  const bad: ReadonlyArray<[what: string, signed: Signed | undefined]> = [
    ['unsigned', undefined],
    ['with an empty signature', { ...cancelOf(idOf(1)), signature: '' }],
    ['signed by somebody unknown', cancelOf(idOf(1), mallory)],
    ['signed by a monitor', cancelOf(idOf(1), eyes)],
    ['for another request', cancelOf(idOf(2))],
    ['of another kind', signedQuery({ id: idOf(1), query: 'request' }, alice)],
    ['for no request', signedQuery({}, alice)],
    ['altered', { ...cancelOf(idOf(2)), bytes: cancelOf(idOf(1)).bytes }],
    [
      'that is no query',
      { bytes: Buffer.from('{}'), signature: signedBy(alice, 'query', Buffer.from('{}')) },
    ],
    [
      'signed as a request',
      { ...cancelOf(idOf(1)), signature: signedBy(alice, 'request', cancelOf(idOf(1)).bytes) },
    ],
  ];
  for (const [what, signed] of bad) {
    it(`is nothing when it is ${what}`, () => {
      expect(mayEnd(signed)).to.equal(false);
    });
  }

  it('is nothing from somebody who might not have begun it', () => {
    const policy = policyOf('deny operator:bob restart nginx');
    expect([mayEnd(cancelOf(idOf(1)), { policy }), mayEnd(cancelOf(idOf(1), bob), { policy })]).to.deep.equal(
      [true, false],
    );
  });
});
