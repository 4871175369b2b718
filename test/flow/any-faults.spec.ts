import { expect } from 'chai';
import fc from 'fast-check';
import type { RequestId } from '../../src/wire/fields.ts';
import type { Run } from '../fakes/client-run.ts';
import { Fleet } from './fleet.ts';
import type { ManagerHost } from './manager-host.ts';
import { type Node, numbersFrom } from './node.ts';

const nodeNames = ['web1', 'web2', 'web3'];
const managerNames = ['m1', 'm2'];
/** Each request that changes a service has an action and a service of its own, so that its runs can be told. */
const changes = ['start', 'stop', 'restart', 'reload', 'force-reload', 'try-restart', 'enable', 'disable'];
const services = ['nginx', 'redis'];

const index = (count: number) => fc.integer({ min: 0, max: count - 1 });
const act = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('order' as const),
      isReadOnly: fc.boolean(),
      /** Which managers get it: one after the other as the client does, or both at once. */
      to: fc.constantFrom('m1 m2', 'm2 m1', 'm1', 'both at once'),
      nodes: fc.subarray(nodeNames),
      windowMs: fc.constantFrom(500, 3_000, 10_000, 30_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(20) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('end node' as const),
      node: index(3),
      how: fc.constantFrom('kill', 'vanish', 'close', 'start', 'finish', 'cancel', 'owe', 'delivered'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('start node' as const), node: index(3) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('end manager' as const),
      manager: index(2),
      how: fc.constantFrom('kill', 'close', 'openRequest', '!saveAnswers', 'saveAnswers', 'updateRequest'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('start manager' as const), manager: index(2) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('cut' as const),
      manager: index(2),
      other: fc.constantFrom(...nodeNames),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('break' as const),
      manager: index(2),
      other: fc.constantFrom('client', ...nodeNames),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('heal' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('loss' as const), percent: fc.constantFrom(0, 5, 20, 60) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('slow' as const),
      node: index(3),
      durationMs: fc.constantFrom(0, 50, 900, 3_000, 9_000),
    }),
  },
);
type Act = typeof act extends fc.Arbitrary<infer Value> ? Value : never;
const step = fc.record({ act, thenMs: fc.constantFrom(0, 10, 300, 1_500, 4_000) });
const steps = fc.array(step, { minLength: 10, maxLength: 40 });

interface Sent {
  readonly id: RequestId;
  readonly command: string;
  readonly isReadOnly: boolean;
  readonly windowMs: number;
  readonly runs: readonly Run[];
}

/** A fleet in which anything may happen. */
class Storm {
  readonly fleet: Fleet;
  readonly sent: Sent[] = [];
  /** `m1 web1 id` of each result that was ever on its way. */
  readonly results = new Set<string>();
  readonly #random: () => number;
  readonly #durations = new Map<Node, number>();
  #lossPercent = 0;
  #cuts: { lift(): void }[] = [];

  constructor(fleet: Fleet, seed: number) {
    this.fleet = fleet;
    this.#random = numbersFrom(seed);
    for (const node of fleet.nodes) this.#script(node);
    fleet.network.count(({ from, to, kind, frames }) => {
      if (kind === 'result') this.results.add(`${to} ${from} ${frames[1]}`);
      return false;
    });
    // What is published has a connection that breaks, but loses nothing before.
    fleet.network.lose(({ kind }) => !isPublished(kind) && this.#random() * 100 < this.#lossPercent);
  }

  async carryOut(act: Act): Promise<void> {
    const { fleet } = this;
    switch (act.kind) {
      case 'order':
        return this.#order(act);
      case 'cancel': {
        const { id } = this.sent[act.which % Math.max(1, this.sent.length)] ?? {};
        if (id !== undefined) fleet.client().history.cancel(id).catch(ignore);
        return;
      }
      case 'end node':
        return this.#endNode(fleet.nodes[act.node], act.how);
      case 'start node':
        return start(fleet.nodes[act.node]);
      case 'end manager':
        return this.#endManager(fleet.managers[act.manager], act.how);
      case 'start manager':
        return start(fleet.managers[act.manager]);
      case 'cut':
        this.#cuts.push(fleet.network.cut(`m${act.manager + 1}`, act.other));
        return;
      case 'break':
        this.#cuts.push(fleet.network.disconnect(`m${act.manager + 1}`, act.other));
        return;
      case 'heal':
        return this.#heal();
      case 'loss':
        this.#lossPercent = act.percent;
        return;
      case 'slow': {
        const node = fleet.nodes[act.node];
        if (node !== undefined) this.#durations.set(node, act.durationMs);
        return;
      }
    }
  }

  /** The storm is over: everybody is there and everything arrives. */
  async calm(): Promise<void> {
    this.#heal();
    this.#lossPercent = 0;
    for (const node of this.fleet.nodes) node.onJournaled = () => {};
    for (const manager of this.fleet.managers) quiet(manager);
    for (const part of [...this.fleet.managers, ...this.fleet.nodes]) await start(part);
  }

  get isSettled(): boolean {
    const { managers, nodes } = this.fleet;
    return (
      this.sent.every(({ runs }) => runs.every(({ isOver }) => isOver)) &&
      managers.every(({ manager }) => manager.counters.openRequests === 0) &&
      nodes.every(({ agent, journal }) => {
        const { undelivered, tasks } = agent.counters;
        return undelivered === 0 && tasks === 0 && journal.undelivered().length === 0;
      })
    );
  }

  #script(node: Node): void {
    for (const service of services) {
      for (const action of [...changes, 'status']) {
        node.processes.answer(`service ${service} ${action}`, () => {
          const durationMs = this.#durations.get(node) ?? 0;
          if (durationMs === 0) return {};
          return new Promise((resolve) => {
            this.fleet.clock.after(durationMs, 'the action', () => resolve({}));
          });
        });
      }
    }
  }

  #order({ isReadOnly, to, nodes, windowMs }: Extract<Act, { kind: 'order' }>): void {
    const count = this.sent.filter((sent) => !sent.isReadOnly).length;
    const action = isReadOnly ? 'status' : changes[Math.floor(count / services.length)];
    const service = services[count % services.length];
    if (action === undefined || service === undefined) return;
    const id = this.fleet.newId();
    const order = { action, service, windowMs, ...(nodes.length === 0 ? {} : { nodes }) };
    const clients = to === 'both at once' ? [['m1'], ['m2']] : [to.split(' ')];
    const runs = clients.map((managers) =>
      this.fleet.send(order, this.fleet.client({ managers, newId: () => id })),
    );
    this.sent.push({ id, command: `${service} ${action}`, isReadOnly, windowMs, runs });
  }

  #endNode(node: Node | undefined, how: string): void {
    if (!node?.isRunning) return;
    if (how === 'kill') node.kill();
    else if (how === 'vanish') node.vanish();
    else if (how === 'close') void node.close();
    else
      node.onJournaled = (method) => {
        if (method === how) node.kill();
      };
  }

  #endManager(manager: ManagerHost | undefined, how: string): void {
    if (!manager?.isRunning) return;
    if (how === 'kill') manager.kill();
    else if (how === 'close') void manager.close();
    else {
      manager.onStored = (method) => {
        if (method === how) manager.kill();
      };
      manager.onStoring = (method) => {
        if (`!${method}` === how) manager.kill();
      };
    }
  }

  #heal(): void {
    for (const cut of this.#cuts) cut.lift();
    this.#cuts = [];
  }
}

async function start(part: Node | ManagerHost | undefined): Promise<void> {
  if (part === undefined || part.isRunning) return;
  if ('onJournaled' in part) part.onJournaled = () => {};
  else quiet(part);
  await part.start();
}

function quiet(manager: ManagerHost): void {
  manager.onStored = ignore;
  manager.onStoring = ignore;
}

function ignore(): void {}

function isPublished(kind: string): boolean {
  return kind === 'answer' || kind === 'end';
}

/** The node itself has said so. */
function isAnswer(outcome: string): boolean {
  return !['no-answer', 'unreachable', 'running'].includes(outcome);
}

function expectTruth(storm: Storm): void {
  for (const sent of storm.sent) {
    for (const run of sent.runs) expectTruthOfClient(storm, sent, run);
    for (const manager of storm.fleet.managers) expectTruthOfManager(storm, sent, manager);
    if (!sent.isReadOnly) {
      for (const node of storm.fleet.nodes)
        expect(node.runs(sent.command), `${sent.command} at ${node.name}`).to.be.at.most(1);
    }
  }
}

function expectTruthOfClient({ fleet }: Storm, { command, isReadOnly, windowMs }: Sent, run: Run): void {
  expect(run.tookMs, command).to.be.at.most(windowMs + 250);
  if (!run.isTaken) {
    expect(run.code, command).to.be.oneOf(['MANAGER_UNREACHABLE', 'STORE_UNUSABLE']);
    return;
  }
  expect(new Set(run.answeredBy).size, command).to.equal(run.answers.length);
  const aimedAt = [...run.pending.nodes, ...run.pending.unreachable.map(({ node }) => node)];
  expect(Object.keys(run.outcomes), command).to.include.members(aimedAt);
  const answered = Object.entries(run.outcomes).filter(([, outcome]) => isAnswer(outcome));
  expect(run.answeredBy, command).to.have.members(answered.map(([node]) => node));
  for (const [node, outcome] of answered)
    if (outcome === 'ok' && !isReadOnly) expect(fleet.node(node).runs(command), command).to.equal(1);
}

function expectTruthOfManager({ fleet, results }: Storm, sent: Sent, { name, store }: ManagerHost): void {
  const { id, command, isReadOnly } = sent;
  const request = store.request(id);
  if (request === undefined) return;
  expect(request.endedWallMs, command).to.be.a('number');
  const entries = store.answers(id, { limit: 1_000, maxBytes: 1e9 });
  expect(entries.length, command).to.be.at.least(1);
  for (const { node, outcome, phase, payload } of entries) {
    const what = `${name} on ${command} at ${node}`;
    expect(outcome, what).to.be.a('string');
    expect(payload !== undefined, what).to.equal(phase === 'done');
    if (isReadOnly) continue;
    const runs = fleet.node(node).runs(command);
    if (outcome === 'ok') expect(runs, what).to.equal(1);
    if (outcome === 'refused' || outcome === 'expired') expect(runs, what).to.equal(0);
    const journaled = fleet.node(node).journal.find(id);
    if (journaled?.state === 'done' && results.has(`${name} ${node} ${id}`))
      expect(String(payload), what).to.equal(String(journaled.payload));
  }
}

describe('whatever is lost, killed and started anew', () => {
  it('every request ends with one outcome per node, nothing runs twice, no answer is missing', async function () {
    this.timeout(120_000);
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), fc.boolean(), async (history, seed, isSecure) => {
        const fleet = await Fleet.start({ managers: managerNames, nodes: nodeNames, isSecure });
        // The managers have stored whom they know.
        await fleet.hurry(100);
        const storm = new Storm(fleet, seed);
        for (const { act, thenMs } of history) {
          await storm.carryOut(act);
          await fleet.hurry(thenMs);
        }
        await storm.calm();
        for (let second = 0; second < 150 && !storm.isSettled; second += 1) await fleet.hurry(1_000);
        expect(storm.isSettled, 'all is settled').to.equal(true);
        await fleet.hurry(5_000);
        expectTruth(storm);
      }),
      { numRuns: 200 },
    );
  });
});
