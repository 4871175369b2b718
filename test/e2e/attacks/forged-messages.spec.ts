import { expect } from 'chai';
import type { Answer } from '../../../src/client/index.ts';
import { newRequestId } from '../../../src/platform/node/ids.ts';
import type { NodeName } from '../../../src/wire/fields.ts';
import { sealQuery } from '../../../src/wire/query.ts';
import { eventually } from '../../fakes/eventually.ts';
import { isObject, type JsonObject } from '../harness/management.ts';
import { cleanUp } from '../harness/processes.ts';
import {
  clientOf,
  keysOf,
  type Member,
  type SecuredManager,
  securityOf,
  startSecuredAgent,
  startSecuredManager,
} from '../harness/secured-fleet.ts';
import { slow, wellBehaved } from '../harness/services.ts';
import { ask, bodyOf, type Fate, proved, pushInto, signatureOf, signed, withFields } from './attacker.ts';

describe('a message that is not what it says', function () {
  this.timeout(60_000);

  let manager: SecuredManager;
  let alice: Member;
  let bob: Member;
  let watcher: Member;
  let evil: Member;

  before(async () => {
    manager = await startSecuredManager();
    alice = await manager.enrol('operator', 'alice');
    bob = await manager.enrol('operator', 'bob');
    watcher = await manager.enrol('monitor', 'watcher');
    evil = await manager.enrol('agent', 'evil');
    await startSecuredAgent({ manager, nodeName: 'web1' });
    await manager.waitForSubscribers(1);
  });
  after(cleanUp);

  /** Hands a frame in through the connection of somebody who is let in. */
  function hand(frame: Buffer, through: Member = alice): Promise<Fate> {
    const security = securityOf(through.keys.curve, manager.keys.publicKey);
    return ask(manager.endpoints.frontend, frame, security);
  }

  /** It was refused with this code, counted, and stands in the audit log with this event. */
  async function expectRefused(fate: Fate, code: string, event: string): Promise<void> {
    expect(fate).to.have.nested.property('reply.code', code);
    expect(fate).to.have.nested.property('reply.success', -1);
    const isThere = () => fieldsOf(event).some((fields) => fields['code'] === code);
    await eventually(isThere, `an audited ${event} ${code}`);
  }

  function fieldsOf(event: string): JsonObject[] {
    return manager.audited(event).map(({ fields }) => (isObject(fields) ? fields : {}));
  }

  async function counter(name: string): Promise<number> {
    const { counters } = await manager.status();
    return isObject(counters) ? Number(counters[name]) : Number.NaN;
  }

  describe('from an operator', () => {
    it('is taken when it is signed, and not when it is not', async () => {
      const service = wellBehaved();
      const unsigned = withFields(signed(bodyOf({ service: service.name }), alice.keys), { signature: '' });
      await expectRefused(await hand(unsigned), 'UNAUTHENTICATED', 'request.refused');
      const v1 = Buffer.from(JSON.stringify({ cmd: 'restart', topic: 'any', service: service.name }));
      await expectRefused(await hand(v1), 'UNAUTHENTICATED', 'request.refused');
      expect(await service.runs()).to.deep.equal([]);
      const good = await hand(signed(bodyOf({ service: service.name }), alice.keys));
      expect(good).to.have.nested.property('reply.expected', 1);
      await eventually(async () => (await service.runs()).length === 1, 'the good one has run');
    });

    it('with another body than was signed is refused: the action, the service, the target', async () => {
      const service = wellBehaved();
      const before = await counter('requestsRefused');
      const frame = signed(bodyOf({ cmd: 'status', topic: 'nobody', service: 'cron' }), alice.keys);
      for (const change of [{ cmd: 'restart' }, { service: service.name }, { topic: 'any' }]) {
        const body = JSON.parse(String(JSON.parse(String(frame)).body));
        const altered = withFields(frame, { ...change, body: JSON.stringify({ ...body, ...change }) });
        await expectRefused(await hand(altered), 'UNAUTHENTICATED', 'request.refused');
      }
      // The signed body under other words is no better.
      expect(await hand(withFields(frame, { topic: 'any' }))).to.have.nested.property(
        'reply.code',
        'BODY_MISMATCH',
      );
      expect(await service.runs()).to.deep.equal([]);
      expect(await counter('requestsRefused')).to.be.at.least(before + 3);
    });

    it('with the signature of another operator, or of nobody, is refused', async () => {
      const body = bodyOf({ service: 'cron' });
      const frame = signed(body, bob.keys);
      const { signature: ofBob } = JSON.parse(String(frame));
      const { signature: ofAlice } = JSON.parse(String(signed(body, alice.keys)));
      const [version, , signature] = String(ofBob).split('.');
      const [, fingerprint] = String(ofAlice).split('.');
      const mixed = withFields(frame, { signature: [version, fingerprint, signature].join('.') });
      await expectRefused(await hand(mixed), 'UNAUTHENTICATED', 'request.refused');
      const stranger = signed(body, keysOf('operator', 'alice'));
      await expectRefused(await hand(stranger), 'UNAUTHENTICATED', 'request.refused');
      const bytes = Buffer.from(String(JSON.parse(String(frame)).body));
      const asQuery = withFields(frame, { signature: signatureOf('query', bytes, bob.keys) });
      await expectRefused(await hand(asQuery), 'UNAUTHENTICATED', 'request.refused');
    });

    it('that was sent before runs once, whoever sends it again', async () => {
      const service = wellBehaved();
      const frame = signed(bodyOf({ service: service.name }), alice.keys);
      const first = await hand(frame);
      await eventually(async () => (await service.runs()).length === 1, 'it has run');
      for (const through of [alice, bob, watcher]) {
        const fate = await hand(frame, through);
        expect(fate).to.have.nested.property('reply.uuid', (first as { reply: JsonObject }).reply['uuid']);
      }
      expect(await service.runs()).to.deep.equal(['restart']);
    });

    it('with an id that another request has is refused', async () => {
      const body = bodyOf({ cmd: 'status', service: 'cron' });
      await hand(signed(body, alice.keys));
      const other = signed({ ...body, service: 'dbus' as typeof body.service }, bob.keys);
      await expectRefused(await hand(other), 'REPLAYED', 'request.refused');
    });

    it('past its time is refused, with how far the clocks are apart, and so is one for the day after tomorrow', async () => {
      const service = wellBehaved();
      const minuteAgo = Date.now() - 60_000;
      const old = bodyOf({ service: service.name, notAfterMs: minuteAgo, sentAtMs: minuteAgo - 5_000 });
      const late = await hand(signed(old, alice.keys));
      await expectRefused(late, 'REQUEST_EXPIRED', 'request.refused');
      expect(late).to.have.nested.property('reply.msg').that.includes('the clock of the client is 65.');
      const far = bodyOf({ service: service.name, notAfterMs: Date.now() + 2 * 86_400_000 });
      await expectRefused(await hand(signed(far, alice.keys)), 'INVALID_MESSAGE', 'request.refused');
      expect(await service.runs()).to.deep.equal([]);
    });

    it('who may only look is refused at each node, with the rule, in the ledger', async () => {
      const service = wellBehaved();
      const client = clientOf(watcher);
      const request = await client.send({ topic: 'any', action: 'restart', service: service.name });
      const answers: Answer[] = [];
      for await (const answer of request) answers.push(answer);
      expect(request.summary.outcomes).to.deep.equal([{ node: 'web1', outcome: 'refused' }]);
      expect(answers[0]).to.include({ code: 'POLICY_DENIED', msg: 'refused: no rule allows it' });
      expect(await service.runs()).to.deep.equal([]);
      const forget: unknown = await client.history.forget('web1').catch((thrown: unknown) => thrown);
      expect(forget).to.include({ code: 'NOT_PERMITTED' });
      expect(fieldsOf('query.refused').map(({ code }) => code)).to.include('NOT_PERMITTED');
    });

    it('that names a path, an option or a control character is refused by its field', async () => {
      for (const service of ['../x', '-x', 'a\0b', 'a\nb', '/etc/init.d/cron', '']) {
        const body = { ...bodyOf({ service: 'cron' }), service };
        const fate = await hand(signed(body as ReturnType<typeof bodyOf>, alice.keys));
        expect(fate).to.have.nested.property('reply.code', 'INVALID_MESSAGE');
        expect(fate).to.have.nested.property('reply.msg').that.includes('service');
      }
    });

    it('that asks is signed as well: a copy of what changes something is not taken again', async () => {
      const times = { sentAtMs: Date.now(), notAfterMs: Date.now() + 5_000 };
      const query = {
        v: 2,
        query: 'forget',
        node: 'nobody' as NodeName,
        nonce: newRequestId(),
        ...times,
      } as const;
      const frame = sealQuery(query, (bytes) => signatureOf('query', bytes, alice.keys));
      expect(await hand(frame)).to.have.nested.property('reply.code', 'UNKNOWN_NODE');
      await expectRefused(await hand(frame), 'REPLAYED', 'query.refused');
      const unsigned = sealQuery(query, undefined);
      await expectRefused(await hand(unsigned), 'UNAUTHENTICATED', 'query.refused');
    });
  });

  describe('from an agent', () => {
    it('in the name of another node is not believed, with whichever proof and number', async () => {
      const service = slow(1_500);
      const request = await clientOf(alice).send({
        ...{ topic: 'web1', action: 'restart', service: service.name, settleMs: 0 },
      });
      const before = await counter('framesRejected');
      const payload = JSON.stringify({
        success: -1,
        msg: 'gone',
        node: 'web1',
        uuid: request.id,
        code: 'CANCELLED',
      });
      const parts = ['result', request.id, 'web1', String(Date.now() * 64), payload] as const;
      const forged = proved(evil.keys, manager, parts);
      const numbered = proved(evil.keys, manager, ['result', request.id, 'web1', '7', payload]);
      const [, , , other = Buffer.alloc(0)] = proved(evil.keys, manager, [
        'beat',
        request.id,
        'web1',
        '8',
        '',
      ]);
      const renumbered = [...forged.slice(0, 3), other, ...forged.slice(4)];
      const noProof = [...forged.slice(0, 5), Buffer.alloc(0)];
      const v1 = [Buffer.from(payload)];
      await pushInto(manager, evil.keys, [forged, numbered, renumbered, noProof, v1]);
      await eventually(async () => (await counter('framesRejected')) >= before + 5, 'all are refused');
      for await (const _ of request);
      expect(request.summary.outcomes).to.deep.equal([{ node: 'web1', outcome: 'ok' }]);
      const told = fieldsOf('message.rejected').filter(({ door }) => door === 'sink');
      expect(told.map(({ code }) => code)).to.include('UNAUTHENTICATED');
    });

    it('that was sent before is not taken again', async () => {
      const before = await counter('framesRejected');
      const boot = newRequestId();
      const facts = {
        system: 'Linux',
        release: '1',
        version: '1',
        machine: 'x',
        roles: [],
        topics: ['evil'],
      };
      const hello = { node: 'evil', boot, ...facts, agentVersion: '1', startedAtMs: Date.now() };
      const frames = proved(evil.keys, manager, ['hello', boot, 'evil', '64', JSON.stringify(hello)]);
      await pushInto(manager, evil.keys, [frames, frames]);
      await eventually(async () => (await counter('framesRejected')) > before, 'the copy is refused');
      const nodes = (await clientOf(alice).history.nodes()).nodes.map(({ node }) => node);
      expect(nodes).to.include('evil');
      const told = fieldsOf('message.rejected').filter(({ code }) => code === 'REPLAYED');
      expect(told).to.have.lengthOf.at.least(1);
      await clientOf(alice).history.forget('evil');
    });
  });
});
