import { expect } from 'chai';
import { Credentials } from '../../src/agent/credentials.ts';
import { trustingRules } from '../../src/agent/gate.ts';
import { Management } from '../../src/cli/daemon-management.ts';
import { join } from '../../src/client/join.ts';
import { parsePolicy } from '../../src/security/policy-parser.ts';
import type { NodeName } from '../../src/wire/fields.ts';
import { ackFrames, helloFrames, resultFrames, withMac } from '../../src/wire/sink.ts';
import { statusAnswer } from '../fakes/answers.ts';
import { keyFileOf, keyOwner } from '../fakes/key-owners.ts';
import { bootOf, helloOf } from '../fakes/manager-desks.ts';
import { Fleet } from './fleet.ts';
import type { Node } from './node.ts';
import { Program } from './program.ts';

const web = ['web1', 'web2', 'web3'];
const second = 1_000;
const minute = 60_000;
const allOk = { web1: 'ok', web2: 'ok', web3: 'ok' };

function policyOf(...lines: string[]) {
  return parsePolicy(lines.join('\n'), { fileName: 'policy', checkTarget: () => undefined });
}

function secured(nodes: readonly string[] = web, managers: readonly string[] = ['m1']): Promise<Fleet> {
  return Fleet.start({ nodes, managers, isSecure: true });
}

/** What the agents of these nodes have run, node by node. */
function runsOf(nodes: readonly Node[], command = 'nginx restart'): number[] {
  return nodes.map((node) => node.runs(command));
}

function revoke(fleet: Fleet, fingerprint: string, manager = fleet.manager()) {
  return fleet.manage('manager.keys.revoke', { fingerprint }, manager);
}

describe('a fleet with security', () => {
  it('carries a request out, collects all answers, and says who asked', async () => {
    const fleet = await secured();
    const run = await fleet.ask({});
    expect(run.outcomes).to.deep.equal(allOk);
    expect(run.answeredBy).to.have.members(web);
    expect(run.tookMs).to.be.below(second);
    const { request } = await fleet.settled(fleet.client().history.show(run.id));
    expect(request.by).to.equal('operator alice');
    const { nodes } = await fleet.settled(fleet.client().history.nodes());
    expect(nodes.map(({ node, fingerprint }) => [node, fingerprint])).to.deep.equal(
      web.map((name) => [name, fleet.keys.agent(name).fingerprint]),
    );
  });

  it('runs a rollout, batch by batch', async () => {
    const fleet = await secured();
    for (const node of fleet.nodes) node.slow('nginx restart', second);
    const run = await fleet.ask({ rollout: { batch: '1' }, windowMs: 10 * second });
    expect(run.outcomes).to.deep.equal(allOk);
    expect(run.summary.rollout).to.include({ batch: 3, batches: 3 });
    expect(run.tookMs).to.be.at.least(3 * second);
  });

  it('loses no answer when messages are lost', async () => {
    const fleet = await secured();
    for (const kind of ['request', 'result', 'ack', 'stored', 'ask', 'reply'])
      fleet.network.lose({ kind }, 1);
    const run = await fleet.ask({ windowMs: 20 * second });
    expect(run.outcomes).to.deep.equal(allOk);
    expect(runsOf(fleet.nodes)).to.deep.equal([1, 1, 1]);
    await fleet.pass(minute);
    expect(fleet.nodes.map(({ agent }) => agent.counters.undelivered)).to.deep.equal([0, 0, 0]);
  });

  it('knows everybody again when the manager was killed, and goes on with what was open', async () => {
    const fleet = await secured();
    for (const node of fleet.nodes) node.slow('nginx restart', 4 * second);
    const run = fleet.send({ windowMs: 30 * second });
    await fleet.pass(second);
    fleet.manager().kill();
    await fleet.pass(2 * second);
    await fleet.manager().start();
    await fleet.until(() => run.isOver, 'the request is over');
    expect(run.outcomes).to.deep.equal(allOk);
    expect(runsOf(fleet.nodes)).to.deep.equal([1, 1, 1]);
    expect((await fleet.ask({})).outcomes).to.deep.equal(allOk);
  });

  it('has the next manager take over when one is gone, under the same signature', async () => {
    const fleet = await secured(web, ['m1', 'm2']);
    for (const node of fleet.nodes) node.slow('nginx restart', 4 * second);
    const run = fleet.send({ windowMs: 30 * second });
    await fleet.pass(second);
    fleet.manager('m1').kill();
    await fleet.until(() => run.isOver, 'the request is over');
    expect(run.outcomes).to.deep.equal(allOk);
    expect(runsOf(fleet.nodes)).to.deep.equal([1, 1, 1]);
  });

  it('lets monitors look, and nothing else', async () => {
    const fleet = await secured();
    const monitor = fleet.keys.monitor();
    const client = () => fleet.client({ as: monitor });
    expect((await fleet.ask({ action: 'status' }, client())).outcomes).to.deep.equal(allOk);
    const run = await fleet.ask({}, client());
    expect(run.outcomes).to.deep.equal({ web1: 'refused', web2: 'refused', web3: 'refused' });
    expect(runsOf(fleet.nodes)).to.deep.equal([0, 0, 0]);
  });

  it('lets nobody in who is not known', async () => {
    const fleet = await secured(['web1']);
    const stranger = fleet.client({ as: keyOwner('operator', 'alice') });
    expect((await fleet.ask({}, stranger)).code).to.equal('UNAUTHENTICATED');
    // The key of an agent is good at other doors.
    const { curve } = fleet.keys.agent('web1');
    const thief = fleet.client({ as: { ...keyOwner('operator', 'web1'), curve } });
    expect((await fleet.ask({}, thief)).code).to.equal('UNAUTHENTICATED');
    // Who comes in under the key of alice still does not sign as she does.
    const alice = fleet.keys.operator();
    const forger = fleet.client({ as: { ...keyOwner('operator', 'alice'), curve: alice.curve } });
    expect((await fleet.ask({}, forger)).code).to.equal('UNAUTHENTICATED');
    expect(runsOf(fleet.nodes)).to.deep.equal([0]);
  });
});

describe('a request that is cancelled in a fleet with security', () => {
  async function running() {
    const fleet = await Fleet.start({ nodes: [{ name: 'web1', trust: 'operators' }], isSecure: true });
    const node = fleet.node('web1');
    node.hold('nginx restart');
    const run = fleet.send({ windowMs: 30 * second });
    await fleet.pass(500);
    return { fleet, node, run };
  }

  it('is ended at an agent that obeys nobody but operators: the signature reaches it', async () => {
    const { fleet, node, run } = await running();
    await fleet.settled(fleet.client().history.cancel(run.id));
    await fleet.pass(0);
    expect([run.outcomes, node.processes.held]).to.deep.equal([{ web1: 'cancelled' }, []]);
  });

  it('is ended also when the manager was killed in between', async () => {
    const { fleet, run } = await running();
    fleet.network.lose({ kind: 'cancel' }, 1);
    await fleet.settled(fleet.client().history.cancel(run.id));
    fleet.manager().kill();
    await fleet.manager().start();
    await fleet.until(() => run.isOver, 'the request is over');
    expect(run.outcomes).to.deep.equal({ web1: 'cancelled' });
  });

  it('is cancelled also when the reply to that is lost, and it is asked again', async () => {
    const { fleet, run } = await running();
    fleet.network.lose({ kind: 'reply' }, 1);
    const { request } = await fleet.settled(fleet.client().history.cancel(run.id));
    expect(request.isCancelled).to.equal(true);
    expect(run.outcomes).to.deep.equal({ web1: 'cancelled' });
  });
});

describe('somebody who is revoked', () => {
  it('may ask for nothing from then on, and everybody else may', async () => {
    const fleet = await secured();
    const alice = fleet.keys.operator();
    const bob = fleet.keys.operator('bob');
    const [ofAlice, ofBob] = [fleet.client({ as: alice }), fleet.client({ as: bob })];
    expect((await fleet.ask({}, ofAlice)).outcomes).to.deep.equal(allOk);
    await revoke(fleet, alice.fingerprint);
    // Over the connection that was open, and over a new one.
    for (const client of [ofAlice, fleet.client({ as: alice })]) {
      const run = await fleet.ask({ service: 'redis' }, client);
      expect([run.code, run.tookMs < second]).to.deep.equal(['UNAUTHENTICATED', true]);
    }
    expect((await fleet.ask({}, ofBob)).outcomes).to.deep.equal(allOk);
    expect(runsOf(fleet.nodes, 'redis restart')).to.deep.equal([0, 0, 0]);
    const { audit } = fleet.manager();
    expect(audit.named('key.revoked').map(({ name }) => name)).to.deep.equal(['alice']);
  });

  it('and who asked a moment before is served to the end', async () => {
    const fleet = await secured();
    for (const node of fleet.nodes) node.slow('nginx restart', 2 * second);
    const run = fleet.send({});
    await fleet.pass(second);
    await revoke(fleet, fleet.keys.operator().fingerprint);
    await fleet.pass(minute);
    expect(runsOf(fleet.nodes)).to.deep.equal([1, 1, 1]);
    const [entry] = fleet.manager().audit.named('request.ended');
    expect(entry).to.deep.include({ id: run.id, outcomes: { ok: 3 } });
  });

  it('as an agent is not heard any more, and is as one that is not there', async () => {
    const fleet = await secured();
    fleet.node('web2').slow('nginx restart', 2 * second);
    const run = fleet.send({});
    await fleet.pass(second);
    await revoke(fleet, fleet.keys.agent('web2').fingerprint);
    await fleet.until(() => run.isOver, 'the request is over');
    expect(run.outcomes).to.deep.include({ web1: 'ok', web3: 'ok' });
    expect(run.outcomes['web2']).to.be.oneOf(['no-answer', 'unreachable', 'running']);
    expect(run.answeredBy).to.have.members(['web1', 'web3']);
    await fleet.pass(minute);
    const next = await fleet.ask({});
    expect(next.outcomes).to.deep.include({ web1: 'ok', web2: 'unreachable', web3: 'ok' });
    expect(fleet.node('web2').runs('nginx restart')).to.equal(1);
    const refused = fleet
      .node('web2')
      .log.named('message.rejected')
      .map(({ fields }) => fields['code']);
    expect(refused).to.include('UNAUTHENTICATED');
  });
});

describe('the key of a manager', () => {
  it('is changed while requests go on, and none fails', async () => {
    const fleet = await secured();
    const before = fleet.manager().keptKeys.current;
    const patient = fleet.client();
    await fleet.ask({ action: 'status' }, patient);
    await fleet.manage('manager.keys.rotate', { overlapMs: minute });
    let asked = 0;
    for (let elapsed = 0; elapsed < 2 * minute; elapsed += 5 * second) {
      // One client that stays, and one that comes and goes.
      for (const client of [patient, fleet.client()]) {
        const run = await fleet.ask({ action: 'status' }, client);
        expect(run.outcomes, `after ${elapsed} ms`).to.deep.equal(allOk);
        expect(run.tookMs, `after ${elapsed} ms`).to.be.below(second);
        asked += 1;
      }
      await fleet.pass(5 * second);
    }
    expect(asked).to.equal(48);
    const { current, next } = fleet.manager().keptKeys;
    expect(current.publicKey).not.to.equal(before.publicKey);
    expect(next).to.equal(undefined);
    expect(fleet.manager().audit.named('key.rotated')).to.have.length(1);
    expect(fleet.manager().manager.counters.framesRejected).to.equal(0);
  });

  it('is changed under a request that waits for its answers', async () => {
    const fleet = await secured(web, ['m1', 'm2']);
    for (const node of fleet.nodes) node.slow('nginx restart', 30 * second);
    const run = fleet.send({ windowMs: minute });
    await fleet.pass(second);
    await fleet.manage('manager.keys.rotate', { overlapMs: 10 * second });
    await fleet.until(() => run.isOver, 'the request is over', 2 * minute);
    expect(run.outcomes).to.deep.equal(allOk);
    expect(run.answeredBy).to.have.members(web);
    expect(run.tookMs).to.be.below(31 * second);
    expect(runsOf(fleet.nodes)).to.deep.equal([1, 1, 1]);
  });

  it('is the new one also when the manager was killed before and after it was changed', async () => {
    const fleet = await secured();
    await fleet.manage('manager.keys.rotate', { overlapMs: 20 * second });
    await fleet.pass(6 * second);
    fleet.manager().kill();
    await fleet.manager().start();
    expect((await fleet.ask({})).outcomes).to.deep.equal(allOk);
    await fleet.pass(20 * second);
    const { publicKey } = fleet.manager().keptKeys.current;
    fleet.manager().kill();
    await fleet.manager().start();
    await fleet.pass(10 * second);
    expect((await fleet.ask({ service: 'redis' })).outcomes).to.deep.equal(allOk);
    expect(fleet.manager().keptKeys.current.publicKey).to.equal(publicKey);
  });

  it('is known to an agent that was away when it was changed, which is believed at its first word', async () => {
    const fleet = await secured();
    await fleet.manage('manager.keys.rotate', { overlapMs: 20 * second });
    await fleet.pass(6 * second);
    fleet.node('web2').kill();
    await fleet.pass(30 * second);
    // Nothing that was proved under the key before is believed any more.
    fleet.manager().kill();
    await fleet.manager().start();
    await fleet.pass(10 * second);
    await fleet.node('web2').start();
    await fleet.pass(0);
    expect((await fleet.ask({})).outcomes).to.deep.equal(allOk);
    expect(fleet.manager().manager.counters.framesRejected).to.equal(0);
  });
});

describe('the key of an agent', () => {
  it('is changed while requests go on, and none fails', async () => {
    const fleet = await secured();
    const [old, node] = [fleet.keys.agent('web2'), fleet.node('web2')];
    node.slow('nginx restart', 3 * second);
    const run = fleet.send({});
    await fleet.pass(second);
    const next = fleet.keys.replaceAgent('web2');
    const { sockets, clock } = new Program('web2', fleet.network, fleet.clock);
    const order = {
      ...({
        role: 'agent',
        name: 'web2' as NodeName,
        keys: keyFileOf(next),
        replaces: keyFileOf(old),
      } as const),
      ...{ manager: fleet.manager().known.key, nowWallMs: clock.wallMs() },
    };
    const reply = await fleet.settled(join(fleet.manager().joinEndpoint, order, second, { sockets, clock }));
    expect(reply).to.include({ state: 'accepted', fingerprint: next.fingerprint });
    // The old one is good until the agent has the new one.
    expect((await fleet.ask({ service: 'redis' })).outcomes).to.deep.equal(allOk);
    await node.agent.reconfigure({ roles: [], topics: [], rules: trustingRules, own: next.curve });
    await fleet.until(() => run.isOver, 'the request is over');
    expect(run.outcomes).to.deep.equal(allOk);
    expect((await fleet.ask({ service: 'redis' })).outcomes).to.deep.equal(allOk);
    const { nodes } = await fleet.settled(fleet.client().history.nodes());
    expect(nodes[1]).to.include({ node: 'web2', fingerprint: next.fingerprint, presence: 'alive' });
    // It goes by the new one itself: its management socket is for whoever has that.
    const management = { endpoint: 'tcp://localhost:6001', ownKeys: () => next.curve, sockets, clock };
    const status = await fleet.settled(new Management(management).ask({ cmd: 'agent.status' }));
    expect(status.result).to.include({ fingerprint: next.fingerprint });
    expect(fleet.manager().manager.counters.framesRejected).to.equal(0);
  });
});

describe('a policy', () => {
  it('of the manager refuses node by node, and the ledger says which rule did', async () => {
    const fleet = await secured();
    fleet.manager().policy = policyOf('deny restart nginx at web[2-3]');
    fleet.manager().kill();
    await fleet.manager().start();
    await fleet.pass(10 * second);
    const run = await fleet.ask({});
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'refused', web3: 'refused' });
    expect(run.answers.flatMap((answer) => ('code' in answer ? [answer.msg] : []))).to.deep.equal([
      'refused by line 1: deny restart nginx at web[2-3]',
      'refused by line 1: deny restart nginx at web[2-3]',
    ]);
    expect(runsOf(fleet.nodes)).to.deep.equal([1, 0, 0]);
  });

  it('of a node has the last word, and the ledger says so', async () => {
    const nodes = ['web1', { name: 'web2', policy: policyOf('deny restart nginx') }, 'web3'];
    const fleet = await Fleet.start({ nodes, isSecure: true });
    const run = await fleet.ask({});
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'refused', web3: 'ok' });
    expect(runsOf(fleet.nodes)).to.deep.equal([1, 0, 1]);
    const { answers } = run;
    const denial = answers.find((answer) => 'code' in answer);
    expect(denial).to.include({ code: 'POLICY_DENIED', msg: 'refused by line 1: deny restart nginx' });
    const [refused] = fleet.node('web2').audit.named('request.refused');
    expect(refused).to.include({ id: run.id, code: 'POLICY_DENIED', manager: 'm1' });
    const { request } = await fleet.settled(fleet.client().history.show(run.id));
    expect(request.counts).to.deep.equal({ ok: 2, refused: 1 });
  });
});

describe('the clock of a node', () => {
  it('that is off by more than is allowed is reported with the node and by how much', async () => {
    const nodes = [
      'web1',
      { name: 'web2', wallSkewMs: 45 * second },
      { name: 'web3', wallSkewMs: -20 * second },
    ];
    const fleet = await Fleet.start({ nodes, isSecure: true });
    await fleet.pass(20 * second);
    const reports = fleet.manager().log.named('node.clock_skew');
    expect(new Set(reports.map(({ fields }) => fields['node']))).to.deep.equal(new Set(['web2']));
    expect(String(reports[0]?.fields['report'])).to.match(
      /^the clock of web2 is 4[45]\.\d s ahead of ours, and 30 s are allowed: check its time service$/,
    );
    const { nodes: known } = await fleet.settled(fleet.client().history.nodes());
    const offsets = known.map(({ clockOffsetMs = 0 }) => Math.round(clockOffsetMs / second));
    expect(offsets).to.deep.equal([0, 45, -20]);
    // By its own clock the time of the request is over there.
    expect((await fleet.ask({})).outcomes).to.deep.equal({ web1: 'ok', web2: 'expired', web3: 'ok' });
  });
});

describe('an agent that answers what it was not asked', () => {
  it('is not heard, counted and written down', async () => {
    const fleet = await secured();
    fleet.node('web1').hold('nginx restart');
    const run = fleet.send({ nodes: ['web1'], windowMs: 10 * second });
    await fleet.pass(500);
    const { curve } = fleet.keys.agent('web2');
    const managers = [fleet.manager().known];
    const credentials = new Credentials({ own: curve, managers, keep: () => {} });
    const { sockets } = new Program('web2', fleet.network, fleet.clock);
    const push = sockets.connectPush(fleet.manager().sinkEndpoint, { security: credentials.security });
    const before = fleet.manager().manager.counters.results;
    const payload = Buffer.from(JSON.stringify({ ...statusAnswer('web2'), uuid: run.id }));
    const frames = resultFrames(run.id, 'web2' as NodeName, 2e14, payload);
    push.send(withMac(frames, credentials.mac(frames)));
    await fleet.pass(0);
    const { framesRejected, results } = fleet.manager().manager.counters;
    expect([framesRejected, results - before, run.answeredBy]).to.deep.equal([1, 0, []]);
    const [rejected] = fleet.manager().audit.named('message.rejected');
    expect(rejected).to.include({ door: 'sink', code: 'NOT_PERMITTED' });
    fleet.node('web1').release('nginx restart');
    await fleet.until(() => run.isOver, 'the request is over');
    expect(run.outcomes).to.deep.equal({ web1: 'ok' });
  });
});

describe('an agent that says hello again and again', () => {
  it('is turned away in the end, counted, and known all the same', async () => {
    const fleet = await secured();
    await fleet.pass(minute);
    const { curve } = fleet.keys.agent('web2');
    const managers = [fleet.manager().known];
    const credentials = new Credentials({ own: curve, managers, keep: () => {} });
    const { sockets } = new Program('web2', fleet.network, fleet.clock);
    const push = sockets.connectPush(fleet.manager().sinkEndpoint, { security: credentials.security });
    for (let count = 0; count < 100; count += 1) {
      const frames = helloFrames(helloOf('web2', { boot: bootOf('f') }), count);
      push.send(withMac(frames, credentials.mac(frames)));
    }
    await fleet.pass(0);
    expect(fleet.manager().manager.counters.framesRejected).to.equal(80);
    const [rejected] = fleet.manager().audit.named('message.rejected');
    expect(rejected).to.include({ door: 'sink', code: 'TOO_BUSY', reason: 'web2 says hello too often' });
    await fleet.pass(minute);
    expect((await fleet.ask({})).outcomes).to.deep.equal(allOk);
  });
});

describe('an agent that speaks for another node', () => {
  it('is not believed, counted and written down', async () => {
    const fleet = await secured();
    fleet.node('web1').hold('nginx restart');
    const run = fleet.send({ windowMs: 10 * second });
    await fleet.pass(500);
    const { curve } = fleet.keys.agent('web2');
    const managers = [fleet.manager().known];
    const credentials = new Credentials({ own: curve, managers, keep: () => {} });
    const { sockets } = new Program('web2', fleet.network, fleet.clock);
    const push = sockets.connectPush(fleet.manager().sinkEndpoint, { security: credentials.security });
    const payload = Buffer.from(JSON.stringify({ ...statusAnswer('web1'), uuid: run.id }));
    const forged = [
      ackFrames(run.id, 'web1' as NodeName, 1e14, 'running'),
      resultFrames(run.id, 'web1' as NodeName, 1e14 + 1, payload),
    ];
    for (const frames of forged) push.send(withMac(frames, credentials.mac(frames)));
    for (const frames of forged) push.send(frames);
    await fleet.pass(0);
    expect(run.answeredBy).to.have.members(['web2', 'web3']);
    expect(fleet.manager().manager.counters.framesRejected).to.equal(4);
    const [rejected] = fleet.manager().audit.named('message.rejected');
    expect(rejected).to.include({ door: 'sink', code: 'UNAUTHENTICATED' });
    expect(rejected?.['reason']).to.equal('message in the name of web1: it is not made with its key');
    fleet.node('web1').release('nginx restart');
    await fleet.until(() => run.isOver, 'the request is over');
    expect(run.outcomes).to.deep.equal(allOk);
  });
});
