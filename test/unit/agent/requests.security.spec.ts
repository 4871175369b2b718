import { expect } from 'chai';
import type { GateRules } from '../../../src/agent/gate.ts';
import { parsePolicy } from '../../../src/security/policy-parser.ts';
import { MemoryJournal } from '../../../src/store/memory-journal.ts';
import { AgentDesk, bodyOf, type DeskOptions } from '../../fakes/agent-desk.ts';
import { keyOwner } from '../../fakes/key-owners.ts';
import { RecordedAudit } from '../../fakes/recorded-audit.ts';
import { knownOperators, signedQuery, signedRequest } from '../../fakes/signed-words.ts';
import { idOf } from '../../fakes/stored-requests.ts';

const alice = keyOwner('operator', 'alice');
const bob = keyOwner('operator', 'bob');
const mallory = keyOwner('operator', 'mallory');
const eyes = keyOwner('monitor', 'eyes');
const sink = 'ipc:///run/m1';
const command = 'nginx restart';

function rulesOf(...lines: string[]): GateRules {
  const policy = parsePolicy(lines.join('\n'), { fileName: 'policy', checkTarget: () => undefined });
  return { trust: { kind: 'operators', known: knownOperators(alice, bob, eyes) }, policy };
}

/** The desk of an agent that obeys alice and bob, with an audit log. */
async function obeying(rules: GateRules = rulesOf(), options: DeskOptions = {}) {
  const audit = new RecordedAudit();
  const bench = await AgentDesk.of({ rules, audit, ...options });
  const body = bodyOf(command, { notAfterMs: bench.clock.wallMs() + 5_000 });
  return {
    ...{ bench, audit, body },
    /** Hands in a request that this one has signed. */
    ask: (who = alice, asked = body) => bench.hear(asked, signedRequest(asked, who)),
    cancel: async (who = alice, id = body.id) => {
      bench.desk.cancel(id, signedQuery({ id }, who), bench.link);
      await bench.settle();
    },
    events: () => audit.events.map(([event]) => event),
  };
}

function reasonsOf({ answers }: AgentDesk): string[] {
  return answers.map(({ msg }) => msg);
}

describe('a request that the gate lets through', () => {
  it('is written down before it is run, with who asked for it, and so is its end', async () => {
    const { bench, audit, ask, body } = await obeying();
    await ask();
    expect(bench.processes.runs).to.deep.equal(['service nginx restart']);
    const asked = { id: body.id, action: 'restart', service: 'nginx', target: 'any', manager: sink };
    expect(audit.events).to.deep.equal([
      ['request.received', { ...asked, operator: 'alice', fingerprint: alice.fingerprint }],
      ['request.answered', { id: body.id, returncode: 0 }],
    ]);
  });

  it('is written down once, however often it comes', async () => {
    const { bench, ask, events } = await obeying();
    bench.processes.hold('service nginx restart');
    await ask();
    await ask();
    bench.processes.release('service nginx restart');
    await bench.settle();
    await ask();
    expect(events()).to.deep.equal(['request.received', 'request.answered']);
    expect(bench.processes.runs).to.have.length(1);
  });

  it('is not run when that cannot be written down, and says so', async () => {
    const { bench, audit, ask, body } = await obeying();
    audit.isFailing = true;
    await ask();
    expect(bench.heard()).to.deep.equal(['m1 result STORE_UNUSABLE']);
    expect(bench.processes.runs).to.deep.equal([]);
    expect(bench.journal.find(body.id)).to.equal(undefined);
    audit.isFailing = false;
    await ask();
    expect(bench.processes.runs).to.have.length(1);
  });

  it('is run all the same when it only reads, and what is not written down is counted', async () => {
    const { bench, audit, ask } = await obeying();
    audit.isFailing = true;
    await ask(eyes, bodyOf('nginx status', { notAfterMs: bench.clock.wallMs() }));
    expect(bench.heard().at(-1)).to.equal('m1 result 0');
    expect(bench.auditor.lost).to.equal(2);
  });

  it('does not hide a bug of ours in the audit log', async () => {
    const { bench, audit, body } = await obeying();
    audit.write = () => {
      throw new TypeError('a bug');
    };
    expect(() => bench.desk.receive(body, signedRequest(body, alice), bench.link)).to.throw(TypeError);
  });

  it('says in the audit log, too, when it was not run after all', async () => {
    const { bench, audit, ask, cancel } = await obeying();
    bench.processes.hold('service nginx restart');
    await ask();
    await cancel();
    expect(audit.named('request.answered')).to.deep.equal([{ id: bodyOf(command).id, code: 'CANCELLED' }]);
  });
});

describe('a request that the gate does not let through', () => {
  it('is answered with code and reason, written down, and not run', async () => {
    const { bench, audit, ask, body } = await obeying();
    await ask(mallory);
    expect(bench.heard()).to.deep.equal(['m1 result UNAUTHENTICATED']);
    const reason = `it is signed with ${mallory.fingerprint}, which this node does not know`;
    expect(reasonsOf(bench)).to.deep.equal([reason]);
    const asked = { id: body.id, action: 'restart', service: 'nginx', target: 'any', manager: sink };
    expect(audit.events).to.deep.equal([['request.refused', { ...asked, code: 'UNAUTHENTICATED', reason }]]);
    expect(bench.log.named('request.refused').map(({ fields }) => fields)).to.deep.equal([
      { id: body.id, code: 'UNAUTHENTICATED', reason },
    ]);
    expect([bench.processes.runs, bench.journal.find(body.id)]).to.deep.equal([[], undefined]);
  });

  it('is answered until the manager has the answer', async () => {
    const { bench, ask, body } = await obeying();
    await ask(mallory);
    expect(bench.desk.undelivered).to.equal(1);
    await bench.clock.advanceAsync(2_000);
    bench.desk.tick();
    await bench.settle();
    bench.desk.stored(body.id, bench.link);
    expect(bench.heard()).to.include.members(['m1 result UNAUTHENTICATED', 'journal delivered']);
    expect(bench.desk.undelivered).to.equal(0);
  });

  it('may be the same one that is let through when its signature is good', async () => {
    const { bench, body, ask } = await obeying();
    await bench.hear(body, undefined);
    await ask();
    expect(bench.heard().filter((said) => said.startsWith('m1 result'))).to.deep.equal([
      'm1 result UNAUTHENTICATED',
      'm1 result 0',
    ]);
  });

  it('names the rule that refuses it', async () => {
    const { bench, audit, ask } = await obeying(rulesOf('# ours', 'deny restart nginx'));
    await ask();
    expect(bench.heard()).to.deep.equal(['m1 result POLICY_DENIED']);
    expect(reasonsOf(bench)).to.deep.equal(['refused by line 2: deny restart nginx']);
    expect(audit.named('request.refused')[0]).to.include({
      code: 'POLICY_DENIED',
      reason: 'refused by line 2: deny restart nginx',
    });
  });

  it('is refused under the rules of now, also when an earlier one like it was let through', async () => {
    const { bench, ask, body } = await obeying();
    await ask();
    bench.gate.replace(rulesOf('deny * *'));
    await ask(alice, { ...body, id: idOf(2) });
    expect(bench.heard().filter((said) => said.startsWith('m1 result'))).to.deep.equal([
      'm1 result 0',
      'm1 result POLICY_DENIED',
    ]);
  });

  it('is not told what an earlier one of its id said, unless it may ask', async () => {
    const { bench, ask, body } = await obeying();
    await ask();
    bench.heard();
    await bench.hear(body, undefined);
    expect(bench.heard()).to.deep.equal(['m1 result UNAUTHENTICATED']);
  });

  it('is not told what one of its id that runs for another manager says', async () => {
    const { bench, body, ask } = await obeying(rulesOf(), { managers: ['m1', 'm2'] });
    bench.processes.hold('service nginx restart');
    await ask();
    await bench.hear(body, undefined, bench.linkTo('m2'));
    await bench.hear(body, signedRequest(body, alice), bench.linkTo('m1'));
    bench.processes.release('service nginx restart');
    await bench.settle();
    const heard = bench.heard();
    expect(heard.filter((said) => said.startsWith('m2'))).to.deep.equal(['m2 result UNAUTHENTICATED']);
    expect(heard.at(-1)).to.equal('m1 result 0');
  });

  it('is written down when it comes too late, too', async () => {
    const { bench, audit, ask } = await obeying();
    await bench.clock.advanceAsync(35_001);
    await ask();
    expect(bench.heard()).to.deep.equal(['m1 result REQUEST_EXPIRED']);
    expect(audit.named('request.refused').map(({ code }) => code)).to.deep.equal(['REQUEST_EXPIRED']);
  });

  it('is refused all the same when that cannot be written down, and that is counted', async () => {
    const { bench, audit, ask } = await obeying();
    audit.isFailing = true;
    await ask(mallory);
    expect(bench.heard()).to.deep.equal(['m1 result UNAUTHENTICATED']);
    expect(bench.auditor.lost).to.equal(1);
  });
});

describe('a request that was run', () => {
  it('is not run for a copy of it, signature and all, also by the next agent', async () => {
    const journal = new MemoryJournal();
    const first = await obeying(rulesOf(), { journal });
    await first.ask();
    const next = await obeying(rulesOf(), { journal: new MemoryJournal(journal) });
    await next.ask();
    expect(next.bench.processes.runs).to.deep.equal([]);
    expect(next.bench.heard().at(-1)).to.equal('m1 result 0');
  });

  it('is not run for a copy either when it only reads, but has a check run as well', async () => {
    const journal = new MemoryJournal();
    const first = await obeying(rulesOf(), { journal });
    const body = bodyOf('nginx status', { notAfterMs: first.bench.clock.wallMs() + 5_000, health: 'tcp:80' });
    await first.ask(alice, body);
    await first.ask(alice, body);
    expect(first.bench.processes.runs).to.deep.equal(['service nginx status']);
    const next = await obeying(rulesOf(), { journal: new MemoryJournal(journal) });
    await next.ask(alice, body);
    expect(next.bench.processes.runs).to.deep.equal([]);
  });

  it('is not run for a copy that a manager keeps until nobody remembers it', async () => {
    const { bench, ask } = await obeying();
    await ask();
    // As long as the journal remembers, and by one day more.
    for (let day = 0; day < 8; day += 1) {
      await bench.clock.advanceAsync(86_400_000);
      bench.desk.tick();
    }
    expect(bench.journal.find(bodyOf(command).id)).to.equal(undefined);
    await ask();
    expect(bench.processes.runs).to.have.length(1);
  });

  it('is not run for a copy when a manager has made it forget what it can', async () => {
    const journal = new MemoryJournal();
    const { bench, ask } = await obeying(rulesOf(), { journal });
    await ask();
    // As so many cancels would leave it.
    const later = bench.clock.wallMs() + 1;
    for (let number = 10; number < 100_100; number += 1) journal.cancel(idOf(number), later);
    await bench.clock.advanceAsync(60_000);
    bench.desk.tick();
    expect(bench.journal.find(idOf(10))).to.equal(undefined);
    await ask(alice, bodyOf(command, { notAfterMs: bench.clock.wallMs() }));
    expect(bench.processes.runs).to.have.length(1);
  });
});

describe('who cancels what runs', () => {
  async function running(rules = rulesOf()) {
    const made = await obeying(rules);
    made.bench.processes.hold('service nginx restart');
    await made.ask();
    made.bench.heard();
    return made;
  }

  it('ends it with a signature', async () => {
    const { bench, cancel } = await running();
    await cancel(bob);
    expect(bench.heard()).to.include('m1 result CANCELLED');
  });

  for (const [what, who] of [
    ['unsigned', undefined],
    ['signed by a monitor', eyes],
    ['signed by somebody unknown', mallory],
  ] as const) {
    it(`does not end it by a word that is ${what}: it runs on, and that is written down`, async () => {
      const { bench, audit, body } = await running();
      const signed = who && signedQuery({ id: body.id }, who);
      bench.desk.cancel(body.id, signed, bench.link);
      await bench.settle();
      expect(bench.heard()).to.deep.equal([]);
      expect(audit.events.at(-1)).to.deep.equal(['cancel.refused', { id: body.id, manager: sink }]);
      expect(bench.log.named('cancel.refused').map(({ fields }) => fields)).to.deep.equal([
        { id: body.id, reason: 'no operator who might have begun it here has signed that' },
      ]);
      bench.processes.release('service nginx restart');
      await bench.settle();
      expect(bench.heard().at(-1)).to.equal('m1 result 0');
    });
  }

  it('does not end another one with what was signed for this one', async () => {
    const { bench, ask, body, audit } = await running();
    const other = { ...body, id: idOf(2), service: 'redis' as typeof body.service };
    bench.processes.hold('service redis restart');
    await ask(alice, other);
    bench.desk.cancel(other.id, signedQuery({ id: body.id }, alice), bench.link);
    await bench.settle();
    expect(audit.named('cancel.refused').map(({ id }) => id)).to.deep.equal([other.id]);
  });

  it('has to be somebody who might have begun it', async () => {
    const { bench, cancel } = await running(rulesOf('deny operator:bob * nginx'));
    await cancel(bob);
    expect(bench.heard()).to.deep.equal([]);
    await cancel(alice);
    expect(bench.heard()).to.include('m1 result CANCELLED');
  });

  it('needs no signature while it waits: what has not begun harms nobody', async () => {
    const { bench, ask, body } = await running();
    await ask(alice, { ...body, id: idOf(2) });
    bench.heard();
    bench.desk.cancel(idOf(2), undefined, bench.link);
    bench.processes.release('service nginx restart');
    await bench.settle();
    expect(bench.heard()).to.include.members(['m1 result CANCELLED', 'm1 result 0']);
    expect(bench.processes.runs).to.have.length(1);
  });

  it('keeps what has not come yet from ever beginning', async () => {
    const { bench, ask, body } = await obeying();
    bench.desk.cancel(body.id, undefined, bench.link);
    await ask();
    expect(bench.heard()).to.include('m1 result CANCELLED');
    expect(bench.processes.runs).to.deep.equal([]);
  });
});
