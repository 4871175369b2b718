import { expect } from 'chai';
import type { BoundSocket } from '../../../src/platform/sockets.ts';
import { curveBytes, newCurveKeys } from '../../../src/security/keys.ts';
import { controlFrames, dispatchFramesV2 } from '../../../src/wire/dispatch.ts';
import type { RequestBody } from '../../../src/wire/request.ts';
import { Answer } from '../../../src/wire/result.ts';
import { addressFrame } from '../../../src/wire/topic.ts';
import { eventually } from '../../fakes/eventually.ts';
import { runClient } from '../harness/fleet.ts';
import { freeEndpoint } from '../harness/ports.ts';
import { cleanUp } from '../harness/processes.ts';
import {
  clientArgs,
  keysOf,
  type Member,
  type SecuredAgent,
  startSecuredAgent,
  startSecuredManager,
} from '../harness/secured-fleet.ts';
import { slow, wellBehaved } from '../harness/services.ts';
import { attackerSockets, bodyOf, signatureOf } from './attacker.ts';

/** Whoever has stolen the keys of a manager, and all that he can say to its agents. */
class Thief {
  readonly #backend: BoundSocket;
  /** Answers that agents have sent, by the id of the request. */
  readonly answers = new Map<string, Answer>();

  private constructor(backend: BoundSocket, sink: BoundSocket) {
    this.#backend = backend;
    void this.#listen(sink);
    void (async () => {
      for await (const _ of backend);
    })();
  }

  static async at(backend: string, sink: string, keys: ReturnType<typeof newCurveKeys>): Promise<Thief> {
    const sockets = attackerSockets();
    sockets.authenticate(() => true);
    const own = { publicKey: curveBytes(keys.publicKey), secretKey: curveBytes(keys.secretKey) };
    const security = (domain: string) => ({ kind: 'server', domain, ...own }) as const;
    return new Thief(
      await sockets.bindPublisher(backend, { security: security('backend') }),
      await sockets.bindPull(sink, { security: security('sink') }),
    );
  }

  /** Sends it until the agent has said something about it: it may not have subscribed yet. */
  async command(
    node: string,
    body: RequestBody,
    text = JSON.stringify(body),
    signature = '',
  ): Promise<Answer> {
    const frames = dispatchFramesV2(addressFrame(node), {
      ...{ id: body.id, bodyBytes: Buffer.from(text), signature },
    });
    await eventually(() => {
      this.#backend.send(frames);
      return this.answers.has(body.id);
    }, 'the agent says something');
    return this.answers.get(body.id) as Answer;
  }

  cancel(node: string, body: RequestBody): void {
    this.#backend.send(controlFrames(addressFrame(node), { type: 'cancel', id: body.id }));
  }

  async #listen(sink: BoundSocket): Promise<void> {
    for await (const [type, , , , payload = Buffer.alloc(0)] of sink) {
      const answer = String(type) === 'result' ? Answer.tryDecode(payload) : undefined;
      if (answer !== undefined) this.answers.set(answer.uuid, answer);
    }
  }
}

const refused = (answer: Answer) => ('code' in answer ? answer.code : 'it was done');

describe('a stolen manager', function () {
  this.timeout(60_000);
  const alice = keysOf('operator', 'alice');
  const stranger = keysOf('operator', 'mallory');
  const stolen = newCurveKeys();
  let thief: Thief;
  let agent: SecuredAgent;

  before(async () => {
    const [backend, sink, frontend] = [await freeEndpoint(), await freeEndpoint(), await freeEndpoint()];
    const member: Member = {
      keys: keysOf('agent', 'web1'),
      manager: {
        name: 'mgr1',
        key: stolen.publicKey,
        endpoints: { join: frontend, frontend, backend, sink },
      },
    };
    thief = await Thief.at(backend, sink, stolen);
    agent = await startSecuredAgent({
      ...{ nodeName: 'web1', member, operators: [alice], roles: ['web'] },
      manager: { endpoints: { backend, sink } } as Parameters<typeof startSecuredAgent>[0]['manager'],
    });
  });
  after(cleanUp);

  it('can pass on what an operator has signed, and no more', async () => {
    const service = wellBehaved();
    const body = bodyOf({ service: service.name, topic: 'role:web', settleMs: 0 });
    const text = JSON.stringify(body);
    const signature = signatureOf('request', Buffer.from(text), alice);
    expect(await thief.command('web1', body, text, signature)).to.have.nested.property(
      'result.returncode',
      0,
    );
    expect(await service.runs()).to.deep.equal(['restart']);
    // Again it runs nothing: the agent says what it said.
    await thief.command('web1', body, text, signature);
    expect(await service.runs()).to.deep.equal(['restart']);
  });

  it('cannot make up a request, with or without a signature', async () => {
    const service = wellBehaved();
    const body = bodyOf({ service: service.name });
    expect(refused(await thief.command('web1', body))).to.equal('UNAUTHENTICATED');
    const other = bodyOf({ service: service.name });
    const text = JSON.stringify(other);
    const signature = signatureOf('request', Buffer.from(text), stranger);
    expect(refused(await thief.command('web1', other, text, signature))).to.equal('UNAUTHENTICATED');
    expect(await service.runs()).to.deep.equal([]);
  });

  it('cannot change what was signed', async () => {
    const service = wellBehaved();
    const body = bodyOf({ cmd: 'status', service: service.name });
    const signature = signatureOf('request', Buffer.from(JSON.stringify(body)), alice);
    const changed = { ...body, cmd: 'stop' } as RequestBody;
    expect(refused(await thief.command('web1', changed, JSON.stringify(changed), signature))).to.equal(
      'UNAUTHENTICATED',
    );
    expect(await service.runs()).to.deep.equal([]);
  });

  for (const [what, aim] of [
    ['another node', { topic: 'web2' }],
    ['another role', { topic: 'role:db' }],
    ['other nodes by name', { nodes: ['web2', 'web3'] }],
    ['all but this one', { exclude: 'web1' }],
    ['an expression that leaves it out', { topic: 'any and not web1' }],
  ] as const) {
    it(`cannot send it what was signed for ${what}`, async () => {
      const service = wellBehaved();
      const body = bodyOf({ service: service.name, ...aim });
      const text = JSON.stringify(body);
      const signature = signatureOf('request', Buffer.from(text), alice);
      expect(refused(await thief.command('web1', body, text, signature))).to.equal('NOT_MEANT');
      expect(await service.runs()).to.deep.equal([]);
    });
  }

  it('cannot keep what was signed for later', async () => {
    const service = wellBehaved();
    const notAfterMs = Date.now() - 60_000;
    const body = bodyOf({ service: service.name, notAfterMs });
    const text = JSON.stringify(body);
    const signature = signatureOf('request', Buffer.from(text), alice);
    expect(refused(await thief.command('web1', body, text, signature))).to.equal('REQUEST_EXPIRED');
    expect(await service.runs()).to.deep.equal([]);
  });

  it('cannot end what runs', async () => {
    const service = slow(1_500);
    const body = bodyOf({ service: service.name, settleMs: 0 });
    const text = JSON.stringify(body);
    const signature = signatureOf('request', Buffer.from(text), alice);
    const ended = thief.command('web1', body, text, signature);
    await eventually(async () => (await service.runs()).length > 0, 'it runs');
    thief.cancel('web1', body);
    await agent.waitForEvent('cancel.refused');
    expect(await ended).to.have.nested.property('result.returncode', 0);
    expect(await service.log()).to.deep.equal(['restart', 'done restart']);
  });

  it('is found out: the agent has counted and written down all of it', async () => {
    const codes = agent.audited('request.refused').map(({ fields }) => (fields as { code: string }).code);
    expect(new Set(codes)).to.include.members(['UNAUTHENTICATED', 'NOT_MEANT', 'REQUEST_EXPIRED']);
    expect(agent.audited('cancel.refused')).to.have.lengthOf(1);
  });

  it('and one that is not stolen has the refusal in its ledger, of an operator whom the host does not know', async () => {
    const manager = await startSecuredManager();
    const known = await manager.enrol('operator', 'carol');
    await startSecuredAgent({ manager, nodeName: 'db1', operators: [alice] });
    await manager.waitForSubscribers(1);
    const service = wellBehaved();
    const args = [...clientArgs(known), '-T', 'db1', '-c', 'restart', '-s', service.name, '--format', 'full'];
    const run = await runClient(args);
    expect(run.code, run.stderr).to.equal(2);
    const { outcomes, results } = JSON.parse(run.stdout);
    expect(outcomes).to.deep.equal([{ node: 'db1', outcome: 'refused' }]);
    expect(results[0]).to.include({ code: 'UNAUTHENTICATED' });
    expect(await service.runs()).to.deep.equal([]);
  });
});
