import type { StoredMember } from '../../src/core/roster.ts';
import { Dispatcher } from '../../src/manager/dispatch.ts';
import { Intake } from '../../src/manager/intake.ts';
import { Plans } from '../../src/manager/plans.ts';
import { PolicyDesk } from '../../src/manager/policy-desk.ts';
import { PresenceDesk } from '../../src/manager/presence.ts';
import { Publisher } from '../../src/manager/publisher.ts';
import { Queries } from '../../src/manager/queries.ts';
import { Recorder } from '../../src/manager/recorder.ts';
import { RequestAudit } from '../../src/manager/request-audit.ts';
import { RequestDesk } from '../../src/manager/requests.ts';
import type { Sender } from '../../src/manager/signatures.ts';
import { sha256 } from '../../src/platform/node/hash.ts';
import { serve } from '../../src/platform/serve.ts';
import type { Socket } from '../../src/platform/sockets.ts';
import { Auditor } from '../../src/store/auditor.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { openDispatch, type Signed } from '../../src/wire/dispatch.ts';
import { ServiceManagerError } from '../../src/wire/errors.ts';
import type { NodeName, RequestId } from '../../src/wire/fields.ts';
import type { BootId, Hello } from '../../src/wire/presence.ts';
import type { Query } from '../../src/wire/query.ts';
import { type CheckedRequest, RequestBody } from '../../src/wire/request.ts';
import { Answer } from '../../src/wire/result.ts';
import { readTopicFrame } from '../../src/wire/topic.ts';
import { ManualClock } from './manual-clock.ts';
import { MemorySockets } from './memory-sockets.ts';
import { RecordedAudit } from './recorded-audit.ts';
import { RecordedLog } from './recorded-log.ts';
import { storedMember } from './stored-requests.ts';

/** The desks of a manager without its loop: the test hands them what arrives, and reads what leaves. */
export class ManagerDesks {
  /** Of the key of the node with the name `known`. */
  static readonly knownFingerprint = `SHA256:${'A'.repeat(43)}`;
  readonly clock: ManualClock;
  readonly log = new RecordedLog();
  readonly recorder: Recorder;
  readonly publisher: Publisher;
  readonly requests: RequestDesk;
  readonly presence: PresenceDesk;
  readonly intake: Intake;
  readonly queries: Queries;
  readonly policy = new PolicyDesk({ rules: [] });
  /** What left for the agents: `any request`, `web1 cancel`. */
  readonly dispatched: string[] = [];
  /** Of each request that left for an agent, until when it is good. */
  readonly untils: Array<number | undefined> = [];
  /** Of each request that left for an agent, in which words, and who has signed them. */
  readonly words: Array<Signed | undefined> = [];
  /** Of each cancel that left for an agent, who has signed it in which words. */
  readonly cancels: Array<Signed | undefined> = [];
  /** What was published: a topic and a text. */
  readonly published: Array<readonly [topic: string, text: string]> = [];
  /** Calls of the store that changed something, in order. */
  readonly writes: string[] = [];
  readonly audit = new RecordedAudit();
  /** Methods of the store that throw. */
  failing: readonly string[] = [];

  private constructor(
    backend: Socket,
    publisher: Socket,
    { store, clock, isSecure }: { store: Store; clock: ManualClock; isSecure: boolean },
  ) {
    const { log } = this;
    this.clock = clock;
    const dispatcher = new Dispatcher(backend);
    this.publisher = new Publisher(publisher);
    const watched = this.#watched(store);
    const port = () => this.publisher.port;
    this.recorder = new Recorder({
      ...{ store: watched, clock, log },
      onStored: (id, node) => dispatcher.control(node, { type: 'stored', id }),
    });
    const parts = {
      ...{ clock, log, store: watched, recorder: this.recorder },
      ...{ dispatcher, publisher: this.publisher },
    };
    const auditor = new Auditor(this.audit, log, clock);
    this.requests = new RequestDesk({
      ...{ ...parts, audit: new RequestAudit(auditor, () => '10.0.0.7') },
      ledger: { firstPauseMs: 1_000, longestPauseMs: 10_000, cancelGraceMs: 10_000, jitter: () => 0.5 },
      isSecure,
    });
    this.presence = new PresenceDesk({
      ...parts,
      onPresence: (node, isAlive) => this.requests.presence(node, isAlive),
      nextKey: () => undefined,
    });
    const { presence, requests } = this;
    const plans = new Plans(sha256);
    const policy = this.policy;
    this.intake = new Intake({ clock, presence, requests, plans, policy, port, maxOpenEach: () => 2 });
    const fingerprintOf = (node: string) => (node === 'known' ? ManagerDesks.knownFingerprint : undefined);
    this.queries = new Queries({ ...parts, presence, requests, plans, policy, port, fingerprintOf });
  }

  static async open(
    store: Store = new MemoryStore(),
    clock = new ManualClock(),
    isSecure = false,
  ): Promise<ManagerDesks> {
    const sockets = new MemorySockets();
    const backend = await sockets.bindPublisher('tcp://*:5600');
    const publisher = await sockets.bindPublisher('tcp://*:5750');
    const desks = new ManagerDesks(backend, publisher, { store, clock, isSecure });
    const agents = sockets.connectSubscriber('tcp://localhost:5600');
    agents.subscribe('');
    void serve(agents, (frames) => {
      const topic = readTopicFrame(frames[0] ?? Buffer.alloc(0))?.topic;
      const dispatch = openDispatch(frames);
      desks.dispatched.push(`${topic} ${dispatch.type}`);
      if (dispatch.type === 'request') {
        desks.untils.push(dispatch.body.notAfterMs);
        desks.words.push(dispatch.signed);
      }
      if (dispatch.type === 'cancel') desks.cancels.push(dispatch.signed);
    });
    const clients = sockets.connectSubscriber('tcp://localhost:5750');
    clients.subscribe('');
    void serve(clients, ([topic, payload]) => desks.published.push([`${topic}`, `${payload}`]));
    await desks.settle();
    return desks;
  }

  settle(): Promise<void> {
    return this.clock.advanceAsync(0);
  }

  /** Says hello for these nodes and subscribes for them, as their agents do. */
  join(...nodes: string[]): void {
    for (const node of nodes) {
      this.presence.message({ type: 'hello', hello: helloOf(node) });
      for (const version of ['v2', 'address'] as const) {
        const topic = version === 'address' ? node : 'any';
        this.presence.subscription({ version, topic: topic as never, isSubscribed: true });
      }
    }
  }

  /** A client listens to this request. */
  listen(id: RequestId): void {
    this.publisher.subscription([Buffer.from(`\u0001${id}`)]);
  }

  answer(node: string, id: RequestId, changes: Readonly<Record<string, unknown>> = {}): void {
    const result = { node, returncode: 0, service: 'nginx', stdout: '', stderr: '', system: 'Linux' };
    const said = { msg: 'done', result: { ...result, version: '#1', ...changes }, uuid: id };
    const answer = Answer.parse(said);
    const payload = Answer.encode(answer);
    this.requests.result({ type: 'result', id, node: node as NodeName, isV1: false, answer, payload });
  }

  /** Hands in a request; `sender`: who signed it. */
  take(request: CheckedRequest, sender?: Sender) {
    return this.intake.take(request, sender);
  }

  /** Asks; `sender`: who signed it. */
  ask(query: Query, sender?: Sender, signed?: Signed) {
    return this.queries.answer({ query, signed }, sender);
  }

  #watched(store: Store): Store {
    return new Proxy(store, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name, target);
        if (typeof method !== 'function') return method;
        return (...args: unknown[]): unknown => {
          if (this.failing.includes(String(name)))
            throw new ServiceManagerError('STORE_UNUSABLE', 'disk full');
          if (/^(open|save|update|forget|set|prune)/.test(String(name))) this.writes.push(String(name));
          return Reflect.apply(method, target, args);
        };
      },
    });
  }
}

export function helloOf(node: string, changes: Partial<Hello> = {}): Hello {
  return { ...storedMember(node).facts, topics: ['any', node], ...changes } as Hello;
}

export function bootOf(letter: string): BootId {
  return letter.repeat(32) as BootId;
}

export function memberOf(node: string, change: Partial<StoredMember> = {}): StoredMember {
  return storedMember(node, { facts: helloOf(node), ...change });
}

export function checkedRequest(
  id: RequestId,
  changes: Readonly<Record<string, unknown>> = {},
  version: 'v1' | 'v2' = 'v2',
): CheckedRequest {
  const whole = { id, cmd: 'restart', topic: 'any', service: 'nginx', windowMs: 5_000, ...changes };
  const body = RequestBody.parse(whole);
  return { version, body, bodyBytes: RequestBody.encode(body), signature: '' };
}
