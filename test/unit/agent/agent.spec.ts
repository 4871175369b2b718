import { expect } from 'chai';
import { Agent } from '../../../src/agent/agent.ts';
import type { AgentSecurity } from '../../../src/agent/agent-config.ts';
import { trustingRules } from '../../../src/agent/gate.ts';
import { HealthChecks } from '../../../src/agent/health.ts';
import { serve } from '../../../src/platform/serve.ts';
import type { ClientSecurity } from '../../../src/platform/socket-security.ts';
import { fingerprintOf } from '../../../src/security/fingerprint.ts';
import { type CurveKeys, curveBytes, newCurveKeys } from '../../../src/security/keys.ts';
import type { KnownManager } from '../../../src/security/known-manager.ts';
import { parsePolicy } from '../../../src/security/policy-parser.ts';
import { MemoryJournal } from '../../../src/store/memory-journal.ts';
import { message } from '../../../src/wire/codec.ts';
import { controlFrames, dispatchFramesV2 } from '../../../src/wire/dispatch.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import { NodeName, type Topic } from '../../../src/wire/fields.ts';
import { BootId } from '../../../src/wire/presence.ts';
import { RequestBody } from '../../../src/wire/request.ts';
import { openSinkMessage } from '../../../src/wire/sink.ts';
import { addressFrame, everyAgent } from '../../../src/wire/topic.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryProvider } from '../../fakes/memory-provider.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';
import { RecordedAudit } from '../../fakes/recorded-audit.ts';
import { RecordedLog } from '../../fakes/recorded-log.ts';
import { ScriptedProbe } from '../../fakes/scripted-probe.ts';
import { ScriptedProcesses } from '../../fakes/scripted-processes.ts';
import { idOf } from '../../fakes/stored-requests.ts';

const node = message('node', 300, NodeName).parse('web1');
const [own, managerKeys] = [newCurveKeys(), newCurveKeys()];
const m1: KnownManager = { name: 'm1', key: managerKeys.publicKey, endpoints: { join: 'tcp://m1:5850' } };
const host = {
  ...{ hostname: 'web1', system: 'Linux', release: '6.1', version: '#1 SMP', machine: 'x86_64' },
  osRelease: {},
};
const live = { roles: [], topics: [] as Topic[], rules: trustingRules, own: undefined };

/** An agent that serves a manager, which the test plays. */
async function started(security?: Partial<AgentSecurity>) {
  const clock = new ManualClock();
  const sockets = new MemorySockets({ clock });
  const ofManager = security === undefined ? {} : { security: serverOf(managerKeys) };
  // The manager takes part in a process of its own.
  const backend = await sockets.bindPublisher('tcp://*:5600', ofManager);
  const sink = await sockets.bindPull('tcp://*:5700', ofManager);
  const said: string[] = [];
  void serve(sink, (frames) => {
    const message = openSinkMessage(frames);
    const what = message.type === 'result' && 'code' in message.answer ? ` ${message.answer.code}` : '';
    said.push(`${message.type}${what}`);
  });
  void serve(backend, () => {});
  const [log, audit, processes] = [new RecordedLog(), new RecordedAudit(), new ScriptedProcesses({})];
  const provider = new MemoryProvider();
  provider.add('nginx');
  const kept: KnownManager[] = [];
  const agent = await Agent.start(
    {
      managerEndpoints: ['tcp://localhost:5600'],
      sinkEndpoints: ['tcp://localhost:5700'],
      mgmtEndpoint: 'tcp://*:6000',
      ...{ nodeName: node, roles: [], topics: [], protocol: 'v2', actionTimeoutMs: 60_000, extraActions: [] },
    },
    {
      ...{ sockets, clock, log, host, provider, audit, rules: trustingRules, random: () => 0.5 },
      health: new HealthChecks({ clock, probe: new ScriptedProbe(clock), processes, programs: new Map() }),
      journal: new MemoryJournal(),
      boot: message('boot', 64, BootId).parse('b'.repeat(32)),
      pid: 7,
      ...(security === undefined
        ? {}
        : { security: { own, managers: [[m1]], keep: (manager) => kept.push(manager), ...security } }),
    },
  );
  // All of them share one decider here: the manager lets in whom the agent lets in, and that is itself.
  await clock.advanceAsync(0);
  return {
    ...{ agent, clock, sockets, backend, sink, said, log, audit, kept },
    send: async (...frames: Buffer[]) => {
      backend.send(frames);
      await clock.advanceAsync(0);
    },
    request: async (id: number, cmd = 'start') => {
      const body = RequestBody.parse({ id: idOf(id), cmd, topic: 'any', service: 'nginx' });
      const bodyBytes = RequestBody.encode(body);
      backend.send(dispatchFramesV2(addressFrame(node), { id: body.id, bodyBytes, signature: '' }));
      await clock.advanceAsync(0);
    },
    manage: async (cmd: string, keys?: CurveKeys) => {
      const replies: string[] = [];
      const options = keys === undefined ? {} : { security: clientOf(keys) };
      const socket = sockets.connectDealer('tcp://localhost:6000', {
        ...options,
        onHandshakeFailed: (failure) => replies.push(`"${failure}"`),
      });
      void serve(socket, ([, reply]) => replies.push(`${reply}`));
      socket.send([Buffer.alloc(0), Buffer.from(JSON.stringify({ cmd }))]);
      await clock.advanceAsync(0);
      await socket.close();
      return JSON.parse(replies[0] ?? '"nothing"');
    },
  };
}

function bytesOf({ publicKey, secretKey }: CurveKeys) {
  return { publicKey: curveBytes(publicKey), secretKey: curveBytes(secretKey) };
}

function serverOf(keys: CurveKeys) {
  return { kind: 'server', domain: 'sink', ...bytesOf(keys) } as const;
}

/** Of who reads the key file of the agent. */
function clientOf(keys: CurveKeys): ClientSecurity {
  return { kind: 'client', ...bytesOf(keys), serverKeys: [curveBytes(keys.publicKey)] };
}

const fingerprintIn = ({ publicKey }: CurveKeys) => fingerprintOf({ curve: publicKey });

describe('an agent with security', () => {
  it('writes down when it starts and stops, and how', async () => {
    const { agent, clock, audit } = await started({});
    expect(audit.events).to.deep.equal([['agent.started', { node: 'web1', security: 'curve' }]]);
    const closing = agent.close();
    await clock.advanceAsync(10_000);
    await closing;
    expect(audit.events.at(-1)).to.deep.equal(['agent.stopped', {}]);
    expect(audit.savedHeads.at(-1)).to.equal(audit.events.length);
  });

  it('notes once a second how far its audit log is', async () => {
    const { clock, audit, request } = await started({});
    const before = audit.savedHeads.length;
    await request(1);
    await clock.advanceAsync(1_000);
    expect(audit.savedHeads.slice(before)).to.deep.equal([audit.events.length]);
    await clock.advanceAsync(3_000);
    expect(audit.savedHeads.length - before).to.equal(4);
  });

  it('answers on its management socket to its own key, and to nobody else', async () => {
    const { manage } = await started({});
    const status = await manage('agent.status', own);
    expect(status.result).to.include({ security: 'curve', fingerprint: fingerprintIn(own) });
    expect(await manage('agent.shutdown')).to.equal('mechanism');
    expect(await manage('agent.shutdown', newCurveKeys())).to.equal('cut off');
  });

  it('goes by other keys of its own when it is told to, everywhere', async () => {
    const { agent, clock, manage, said, request } = await started({});
    const next = newCurveKeys();
    await agent.reconfigure({ ...live, own: next });
    await clock.advanceAsync(0);
    const status = await manage('agent.status', next);
    expect(status.result).to.include({ fingerprint: fingerprintIn(next) });
    expect(await manage('agent.status', own)).to.equal('cut off');
    said.length = 0;
    await request(1);
    expect(said.at(-1)).to.equal('result');
  });

  it('keeps the next key of its manager, and shows the keys that it knows it by', async () => {
    const { send, kept, audit, backend, sink, manage, clock } = await started({});
    const next = newCurveKeys();
    await send(...controlFrames(addressFrame(everyAgent), { type: 'pulse', nextKey: next.publicKey }));
    await send(...controlFrames(addressFrame(everyAgent), { type: 'pulse', nextKey: next.publicKey }));
    expect(kept).to.deep.equal([{ ...m1, nextKey: next.publicKey }]);
    for (const socket of [backend, sink]) await socket.rekey(serverOf(next));
    await clock.advanceAsync(0);
    expect(kept.at(-1)).to.deep.equal({ ...m1, key: next.publicKey });
    expect(audit.named('manager.key_changed')).to.have.length(2);
    expect((await manage('agent.status', own)).result.managers).to.deep.equal([`m1 ${fingerprintIn(next)}`]);
  });

  it('serves on when a key cannot be kept, or is none', async () => {
    const keep = () => {
      throw new ServiceManagerError('BAD_CONFIG', 'the folder cannot be written');
    };
    const { send, log, request, said } = await started({ keep });
    const pulse = (nextKey: string) => controlFrames(addressFrame(everyAgent), { type: 'pulse', nextKey });
    await send(...pulse(newCurveKeys().publicKey));
    await send(...pulse('%'.repeat(40)));
    expect(log.named('manager.not_kept')).to.have.length(1);
    await request(1);
    expect(said.at(-1)).to.equal('result');
  });

  it('says once a minute that its manager does not let it in', async () => {
    const stranger = { ...m1, key: newCurveKeys().publicKey };
    const { clock, log, audit } = await started({ managers: [[stranger]] });
    await clock.advanceAsync(59_000);
    const [rejected, ...others] = log.named('message.rejected');
    expect(rejected?.fields).to.include({
      ...{ door: 'handshake', peer: 'tcp://localhost:5700', code: 'UNAUTHENTICATED' },
      reason: 'the server ended the handshake: most likely it has another key than the ones that are known',
    });
    expect([others, audit.named('message.rejected').length]).to.deep.equal([[], 1]);
    await clock.advanceAsync(2_000);
    expect(log.named('message.rejected')).to.have.length(2);
  });
});

describe('any agent', () => {
  it('writes down and counts what it cannot read', async () => {
    const { agent, send, audit } = await started();
    const bodyBytes = RequestBody.encode(
      RequestBody.parse({ id: idOf(2), cmd: 'stop', topic: 'any', service: 'nginx' }),
    );
    // Made up by a manager: the header says another id than what was signed.
    await send(...dispatchFramesV2(addressFrame(node), { id: idOf(1), bodyBytes, signature: 'x' }));
    expect(agent.counters.framesRejected).to.equal(1);
    const [rejected] = audit.named('message.rejected');
    expect(rejected).to.include({ door: 'backend', code: 'BODY_MISMATCH' });
  });

  it('goes by other rules from the next request on, and writes that down', async () => {
    const { agent, request, said, audit } = await started();
    await request(1);
    const policy = parsePolicy('deny start nginx\ndeny stop nginx', {
      ...{ fileName: 'policy', checkTarget: () => undefined },
    });
    await agent.reconfigure({ ...live, rules: { trust: { kind: 'manager' }, policy } });
    await request(2);
    await request(3, 'restart');
    expect(said.filter((each) => each.startsWith('result'))).to.deep.equal([
      ...['result', 'result POLICY_DENIED', 'result'],
    ]);
    expect(audit.named('policy.loaded')).to.deep.equal([{ rules: 2, trust: 'manager' }]);
  });

  it('counts what is missing in its audit log', async () => {
    const { agent, request, audit } = await started();
    audit.isFailing = true;
    await request(1, 'status');
    expect(agent.counters.auditEventsLost).to.equal(2);
  });

  it('without security has none after it was told of keys, either', async () => {
    const { agent, manage } = await started();
    await agent.reconfigure({ ...live, own });
    expect((await manage('agent.status')).result).to.include({ security: 'none' });
  });

  it('tells its topics anew only where they changed', async () => {
    const { agent, clock, said, log } = await started();
    said.length = 0;
    await agent.reconfigure(live);
    await clock.advanceAsync(0);
    expect(said).to.deep.equal([]);
    await agent.reconfigure({ ...live, roles: ['web'] });
    await clock.advanceAsync(0);
    expect([said, log.named('agent.topics_changed').length]).to.deep.equal([['hello'], 1]);
  });
});
