import { expect } from 'chai';
import fc from 'fast-check';
import { newTally } from '../../../src/manager/counters.ts';
import { FrontDesk } from '../../../src/manager/front-desk.ts';
import { Signatures } from '../../../src/manager/signatures.ts';
import { KeyRing } from '../../../src/security/key-ring.ts';
import { decide, type Policy } from '../../../src/security/policy.ts';
import { parsePolicy } from '../../../src/security/policy-parser.ts';
import { Auditor } from '../../../src/store/auditor.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import type { NodeName, RequestId, Topic } from '../../../src/wire/fields.ts';
import { openRequest, RequestBody, sealRequest } from '../../../src/wire/request.ts';
import { keyEntryOf, keyOwner, senderOf, signedBy } from '../../fakes/key-owners.ts';
import { bootOf, helloOf, ManagerDesks } from '../../fakes/manager-desks.ts';
import { idOf } from '../../fakes/stored-requests.ts';

/** Which nodes there are, and what each listens to beside `any` and its name. */
const fleet: Readonly<Record<string, readonly string[]>> = {
  web1: ['role:web'],
  web2: ['role:web', 'staging'],
  db1: ['role:db'],
  db2: ['role:db', 'staging'],
};
const names = Object.keys(fleet);
const people = [keyOwner('operator', 'alice'), keyOwner('operator', 'bob'), keyOwner('monitor', 'watch')];
const mallory = keyOwner('operator', 'mallory');
const signers = [...people, mallory];

/** Whether the node is in one of the targets of which the rules below are made, by the plainest reading of them. */
function isIn(node: string, target: string): boolean {
  if (target.startsWith('not ')) return !isIn(node, target.slice(4));
  return target === 'any' || target === node || fleet[node]?.includes(target) === true;
}

const place = fc
  .constantFrom(...names, 'role:web', 'not role:db', 'staging', 'any', 'nosuch')
  .map((at) => ` at ${at}`);
const rule = fc
  .tuple(
    fc.constantFrom('allow', 'deny', 'deny', 'deny'),
    fc.constantFrom('*', '*', 'operator', 'operator:alice', 'operator:bob', 'monitor:watch'),
    fc.constantFrom('*', '*', '@read', 'stop', 'status,restart'),
    fc.constantFrom('*', '*', 'nginx', 'red*'),
    fc.oneof(fc.constant(''), { weight: 3, arbitrary: place }),
  )
  .map(([verb, who, actions, services, at]) => `${verb} ${who} ${actions} ${services}${at}`);
const rules = fc.array(rule, { maxLength: 3 });
const aim = fc.oneof(
  fc
    .constantFrom('any', 'any', 'any', 'role:web', 'role:db', 'staging', 'web1', 'nosuch')
    .map((topic) => ({ topic })),
  fc
    .constantFrom('role:web or db1', 'web[1-2]', 'not staging', 'any and not web1')
    .map((topic) => ({ topic })),
  fc.subarray(names, { minLength: 1 }).map((nodes) => ({ topic: 'any', nodes: nodes as NodeName[] })),
);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('request' as const),
      number: fc.integer({ min: 1, max: 12 }),
      signer: fc.constantFrom(0, 0, 0, 1, 2, 3),
      cmd: fc.constantFrom('status', 'stop', 'restart'),
      service: fc.constantFrom('nginx', 'redis'),
      aim,
      more: fc.constantFrom(
        {},
        {},
        { exclude: 'staging' },
        { limit: '1' },
        { rollout: { batch: '1', maxFail: '9' } },
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('policy' as const), rules }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('ack' as const, 'answer' as const, 'bye' as const, 'hello' as const),
      node: fc.constantFrom(...names),
      number: fc.integer({ min: 1, max: 12 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 1, max: 4_000 }) }),
  },
  {
    weight: 4,
    // They go on listening to what they did: a manager may know nothing of who is on a topic.
    arbitrary: fc.record({
      kind: fc.constant('forget' as const),
      nodes: fc.subarray(names, { minLength: 1 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** One manager and what it was asked for; it may be started again on what it has stored. */
class World {
  readonly #store = new MemoryStore();
  readonly #ring = new KeyRing();
  #policy: Policy = { rules: [] };
  #desks: ManagerDesks;
  #front: FrontDesk;
  #looked = 0;
  /** By id: for which nodes it was allowed when it was opened, and for which of those that it was aimed at it was not. */
  readonly #allowed = new Map<RequestId, ReadonlySet<string>>();
  readonly #denied = new Map<RequestId, readonly NodeName[]>();

  private constructor(desks: ManagerDesks) {
    this.#ring.restore(
      people.map((owner) => keyEntryOf(owner)),
      [],
    );
    this.#desks = desks;
    this.#front = this.#frontOf(desks);
  }

  static async open(): Promise<World> {
    const world = new World(await ManagerDesks.open());
    await world.#start();
    return world;
  }

  async take(one: Step): Promise<void> {
    if (one.kind === 'request') this.#request(one);
    else if (one.kind === 'policy') this.#replacePolicy(one.rules);
    else if (one.kind === 'restart') await this.#start();
    else if (one.kind === 'forget')
      for (const node of one.nodes) this.#desks.presence.forget(node as NodeName);
    else if (one.kind === 'time') this.#desks.clock.advance(one.ms);
    else this.#node(one.kind, one.node, idOf(one.number));
    this.#desks.requests.tick();
    this.#desks.presence.tick();
    await this.#desks.settle();
    this.#check();
  }

  #request({
    number,
    signer,
    cmd,
    service,
    aim: { ...aimed },
    more,
  }: Extract<Step, { kind: 'request' }>): void {
    const { clock, requests } = this.#desks;
    const owner = signers[signer] ?? mallory;
    const id = idOf(number);
    const dates = { windowMs: 20_000, notAfterMs: clock.wallMs() + 60_000 };
    const body = RequestBody.parse({ id, cmd, service, ...aimed, ...more, ...dates });
    const frame = sealRequest(body, (bytes) => signedBy(owner, 'request', bytes));
    const isNew = requests.find(id) === undefined;
    const reply = this.#front.request(openRequest(frame, () => idOf(99)));
    if (!isNew || 'success' in reply) return;
    const asker = owner === mallory ? undefined : senderOf(owner).asker;
    const isAllowed = (node: string) =>
      asker !== undefined &&
      decide(this.#policy, { asker, action: cmd, service, isAt: (target) => isIn(node, target) }).isAllowed;
    const aimedAt = requests.find(id)?.entries() ?? [];
    this.#allowed.set(id, new Set(names.filter(isAllowed)));
    this.#denied.set(
      id,
      aimedAt.map(({ node }) => node).filter((node) => !isAllowed(node)),
    );
  }

  #replacePolicy(lines: readonly string[]): void {
    this.#policy = parsePolicy(lines.join('\n'), { fileName: 'policy', checkTarget: () => {} });
    this.#desks.policy.replace(this.#policy);
  }

  #node(kind: 'ack' | 'answer' | 'bye' | 'hello', name: string, id: RequestId): void {
    const { requests, presence } = this.#desks;
    const node = name as NodeName;
    if (kind === 'ack') requests.acknowledged({ type: 'ack', id, node, phase: 'running' });
    else if (kind === 'answer') this.#desks.answer(name, id);
    else if (kind === 'bye') presence.message({ type: 'bye', node, boot: bootOf('b') });
    else this.#hello(name);
  }

  #hello(name: string): void {
    const topics = ['any', name, ...(fleet[name] ?? [])] as Topic[];
    this.#desks.presence.message({ type: 'hello', hello: helloOf(name, { topics }) });
  }

  async #start(): Promise<void> {
    const desks = await ManagerDesks.open(this.#store, this.#desks.clock);
    this.#desks.recorder.close();
    desks.policy.replace(this.#policy);
    this.#desks = desks;
    this.#looked = 0;
    this.#front = this.#frontOf(desks);
    for (const name of names) {
      this.#hello(name);
      for (const topic of ['any', ...(fleet[name] ?? [])] as Topic[])
        desks.presence.subscription({ version: 'v2', topic, isSubscribed: true });
    }
    desks.requests.restore((node) => desks.presence.roster.get(node));
  }

  #frontOf({ clock, log, audit, intake, queries }: ManagerDesks): FrontDesk {
    return new FrontDesk({
      ...{ clock, log, intake, queries, auditor: new Auditor(audit, log, clock), tally: newTally() },
      signatures: new Signatures({ ring: this.#ring, clock, requestsPerSecond: 1_000 }),
      addressOf: () => undefined,
      reject: () => {},
    });
  }

  /** Of all that left for agents since the last look. */
  #check(): void {
    const sent = this.#desks.dispatched.filter((line) => line.endsWith(' request'));
    for (; this.#looked < sent.length; this.#looked += 1) {
      const to = sent[this.#looked]?.replace(/ request$/, '') ?? '';
      const { id } = RequestBody.decode(this.#desks.words[this.#looked]?.bytes ?? Buffer.alloc(0));
      const allowed = this.#allowed.get(id) ?? new Set();
      const reached = names.filter((name) => to === name || isIn(name, to));
      expect(allowed, `${id} to ${to}`).to.include.all.keys(reached);
    }
    for (const [id, denied] of this.#denied)
      for (const node of denied)
        expect(this.#desks.requests.find(id)?.entry(node)?.outcome, `${id} at ${node}`).to.equal('refused');
  }
}

describe('requests of anybody under any policy', () => {
  it('reach no node of which they are refused, whatever happens to nodes, rules and the manager meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(rules, fc.array(step, { minLength: 5, maxLength: 30 }), async (first, steps) => {
        const world = await World.open();
        await world.take({ kind: 'policy', rules: first });
        for (const one of steps) await world.take(one);
      }),
      { numRuns: 300 },
    );
  }).timeout(60_000);
});
