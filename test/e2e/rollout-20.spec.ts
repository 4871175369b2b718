import { expect } from 'chai';
import { eventually } from '../fakes/eventually.ts';
import {
  type RunningAgent,
  type RunningManager,
  runClient,
  startAgent,
  startClient,
  startManager,
} from './harness/fleet.ts';
import { isObject, type JsonObject } from './harness/management.ts';
import { mostAtWork, type NodeService, NodeServices, type Span } from './harness/node-services.ts';
import { cleanUp } from './harness/processes.ts';

const names = Array.from({ length: 20 }, (_, index) => `web${String(index + 1).padStart(2, '0')}`);
/** Enough for a service that is dead right after its restart to be caught. */
const settle = ['--settle', '0.2'];

/** What a rollout came to. */
interface Rolled {
  readonly id: string;
  readonly code: number | null;
  readonly stderr: string;
  readonly rollout: JsonObject;
  readonly counts: unknown;
  readonly msgs: ReadonlyMap<string, unknown>;
  nodesThatAre(outcome: string): string;
}

describe('a rollout on 20 hosts', function () {
  this.timeout(180_000);
  let manager: RunningManager;
  let services: NodeServices;
  const agents = new Map<string, RunningAgent>();

  before(async () => {
    manager = await startManager();
    services = new NodeServices(names);
    const left = [...names];
    const startSome = async () => {
      for (let node = left.shift(); node !== undefined; node = left.shift()) {
        const options = { ...services.optionsFor(node), startDeadlineMs: 60_000 };
        agents.set(node, await startAgent({ managers: [manager], nodeName: node, ...options }));
      }
    };
    await Promise.all([startSome(), startSome(), startSome()]);
    await manager.waitForSubscribers(names.length, 60_000);
  });
  after(cleanUp);

  const client = (...argv: string[]) =>
    runClient(['-e', manager.endpoints.frontend, ...argv], { deadlineMs: 90_000 });
  const restart = (service: NodeService, ...more: string[]) => [
    ...['-T', 'web*', '-c', 'restart', '-s', service.name, '--format', 'full', ...settle, ...more],
  ];
  const roll = async (service: NodeService, ...more: string[]) =>
    rolledIn(await client(...restart(service, ...more)));
  const agentOf = (node: string) => agents.get(node) ?? expect.fail(`no agent ${node}`);
  const untilPresent = (presence: string, ...nodes: string[]) =>
    eventually(
      async () => {
        const { stdout } = await client('nodes', '--format', 'json');
        const known: unknown[] = JSON.parse(stdout);
        const such = known.filter(isObject).filter((node) => node['presence'] === presence);
        return nodes.every((name) => such.some(({ node }) => node === name));
      },
      `${nodes.join(', ')} ${presence}`,
      30_000,
    );

  it('stops where a service is broken, says so, and finishes the job when it is repaired', async () => {
    const service = services.install();
    service.behave('web07', 'echo "bad configuration" >&2; exit 1');
    const rolled = await roll(service, '--batch', '4', '--canary', '1');
    expect(rolled.code, rolled.stderr).to.equal(2);
    expect(rolled.rollout).to.deep.equal({
      ...{ batch: 3, batches: 6, started: 9 },
      stopped: '1 node failed, none may: 11 nodes not started',
    });
    expect(rolled.counts).to.deep.equal({ ok: 8, failed: 1, cancelled: 11 });
    expect(rolled.nodesThatAre('failed')).to.equal('web07');
    expect(rolled.nodesThatAre('cancelled')).to.equal(names.slice(9).join(' '));
    expect(rolled.stderr).to.match(/^not started: web\[10-20\]$/m);
    expect(service.runs()).to.deep.equal(eachOnce(names.slice(0, 9)));
    expect(mostAtWork(service.spans())).to.be.at.most(4);
    expect(inBatches(service.spans(), [1, 4, 4]), 'one batch after the other').to.equal(true);

    const shown = await client('requests', 'show', rolled.id);
    expect(shown.stdout)
      .to.match(/^status +stopped/m)
      .and.match(/web07 +failed/);
    expect(shown.stdout).to.include('1 node failed, none may: 11 nodes not started');
    const listed = await client('requests', 'list', '--outcome', 'failed', '--format', 'json');
    expect(listed.stdout).to.include(rolled.id);

    service.behave('web07', '');
    const again = ['requests', 'resume', rolled.id, '--remaining', '--failed', '--format', 'full'];
    const resumed = rolledIn(await client(...again));
    expect(resumed.code, resumed.stderr).to.equal(0);
    expect(resumed.counts).to.deep.equal({ ok: 12 });
    expect(resumed.rollout).to.deep.equal({ batch: 4, batches: 4, started: 12 });
    expect(service.runs()).to.deep.equal({ ...eachOnce(names), web07: 2 });
    // It has a canary again, which is the one that was broken.
    expect(service.spans()[9]).to.include({ node: 'web07' });

    const nothingLeft = await client('requests', 'resume', resumed.id, '--remaining', '--failed');
    expect(nothingLeft, nothingLeft.stderr).to.include({ code: 0 });
    expect(service.runs()).to.deep.equal({ ...eachOnce(names), web07: 2 });
  });

  it('stops after its canary when that is not well, whatever else may fail', async () => {
    const service = services.install();
    service.behave('web01', 'exit 1');
    const rolled = await roll(service, '--batch', '50%', '--canary', '2', '--max-fail', '20');
    expect(rolled.code, rolled.stderr).to.equal(2);
    expect(rolled.rollout['stopped']).to.equal('web01 of the canary is not ok: 18 nodes not started');
    expect(service.runs()).to.deep.equal(eachOnce(['web01', 'web02']));
  });

  it('counts failures over all batches: 10% may be, and one more stops it', async () => {
    const service = services.install();
    for (const node of ['web03', 'web09']) service.behave(node, 'exit 1');
    const done = await roll(service, '--batch', '30%', '--max-fail', '10%');
    expect(done.code, done.stderr).to.equal(2);
    expect(done.counts).to.deep.equal({ ok: 18, failed: 2 });
    // The last batch is smaller.
    expect(done.rollout).to.deep.equal({ batch: 4, batches: 4, started: 20 });
    expect(service.runs()).to.deep.equal(eachOnce(names));

    const worse = services.install();
    for (const node of ['web03', 'web09', 'web13']) worse.behave(node, 'exit 1');
    const stopped = await roll(worse, '--batch', '30%', '--max-fail', '10%');
    expect(stopped.code, stopped.stderr).to.equal(2);
    expect(stopped.rollout['stopped']).to.equal('3 nodes failed, at most 2 may: 2 nodes not started');
    expect(worse.runs()).to.deep.equal(eachOnce(names.slice(0, 18)));
  });

  it('stops at a service whose script is content and whose daemon is dead', async () => {
    const service = services.install();
    service.behave('web02', 'stop() { :; }; exit 0');
    const rolled = await roll(service, '--batch', '2');
    expect(rolled.code, rolled.stderr).to.equal(2);
    expect(rolled.counts).to.deep.equal({ ok: 1, unverified: 1, cancelled: 18 });
    expect(rolled.msgs.get('web02')).to.match(/^Executed service restart request, but /);
    expect(service.runs()).to.deep.equal(eachOnce(['web01', 'web02']));
  });

  it('stops at a health check that hangs, when the time of the action is over', async () => {
    const service = services.install();
    services.breakHealth('web05', 'sleep 2147483');
    const began = performance.now();
    const rolled = await roll(service, '--batch', '4', '--health', 'exec:up', '-a', '3');
    services.breakHealth('web05', '');
    expect(performance.now() - began).to.be.below(30_000);
    expect(rolled.code, rolled.stderr).to.equal(2);
    expect(rolled.counts).to.deep.equal({ ok: 7, unverified: 1, cancelled: 12 });
    expect(rolled.msgs.get('web05')).to.match(/the health check exec:up failed: no end within /);
    expect(service.runs()).to.deep.equal(eachOnce(names.slice(0, 8)));
  });

  it('rests between two batches', async () => {
    const service = services.install();
    const rolled = await roll(service, '--batch', '50%', '--pause', '1');
    expect(rolled.code, rolled.stderr).to.equal(0);
    const spans = service.spans();
    const lastEndMs = Math.max(...spans.slice(0, 10).map(({ endMs = 0 }) => endMs));
    expect((spans[10]?.beginMs ?? 0) - lastEndMs).to.be.at.least(1_000);
  });

  it('goes in the same random order for the same seed', async () => {
    const order = async (seed: string) => {
      const service = services.install();
      const few = ['-T', 'web[01-06]', '--batch', '1', '--order', 'random', '--seed', seed, '--settle', '0'];
      const rolled = await roll(service, ...few);
      expect(rolled.code, rolled.stderr).to.equal(0);
      return service.spans().map(({ node }) => node);
    };
    const first = await order('7');
    expect(first).to.have.members(names.slice(0, 6)).and.not.deep.equal(names.slice(0, 6));
    expect(await order('7')).to.deep.equal(first);
    expect(await order('8')).to.not.deep.equal(first);
  });

  describe('of which one is down', () => {
    before(async () => {
      await agentOf('web20').kill();
      await untilPresent('lost', 'web20');
    });
    after(async () => {
      await agentOf('web20').start();
      await untilPresent('alive', 'web20');
    });

    it('reaches all others, and says which one it did not', async () => {
      const service = services.install();
      const rolled = await roll(service, '--batch', '10');
      expect(rolled.code, rolled.stderr).to.equal(4);
      expect(rolled.counts).to.deep.equal({ ok: 19, unreachable: 1 });
      expect(rolled.rollout).to.deep.equal({ batch: 2, batches: 2, started: 19 });
      expect(rolled.stderr).to.match(/web20/);
      expect(service.runs()).to.deep.equal(eachOnce(names.slice(0, 19)));
    });

    it('begins with nobody where none may be missing', async () => {
      const service = services.install();
      const rolled = await roll(service, '--batch', '10', '--max-unreachable', '0');
      expect(rolled.code, rolled.stderr).to.equal(6);
      expect(rolled.counts).to.deep.equal({ cancelled: 19, unreachable: 1 });
      expect(rolled.rollout['stopped']).to.match(/^1 node unreachable or silent, none may: 19 nodes not/);
      expect(service.runs()).to.deep.equal({});
    });

    it('is told so before it begins', async () => {
      const { code, stdout } = await client(...restart(services.install()).slice(0, 6), '--dry-run');
      expect(code).to.equal(0);
      expect(stdout).to.match(/^alive \(19\): web\[01-19\]\nlost \(1\): web20 \(last seen .*\)\nplan: /);
    });
  });

  it('stops when a batch ends and nobody of it is there any more', async () => {
    const service = services.install();
    const gone = names.slice(4, 8);
    service.closeGate(...gone);
    const waiting = startClient([
      ...['-e', manager.endpoints.frontend],
      ...restart(service, '--batch', '4', '-w', '6', '--max-fail', '20'),
    ]);
    await eventually(() => gone.every((node) => service.runs()[node] === 1), 'the second batch', 30_000);
    await Promise.all(gone.map((node) => agentOf(node).kill()));
    service.openGate();
    const { code } = await waiting.waitForExit(30_000);
    const rolled = rolledIn({ code, stdout: waiting.stdout, stderr: waiting.stderr });
    expect(rolled.rollout['stopped']).to.equal(
      '4 nodes unreachable or silent, none may: 12 nodes not started',
    );
    expect(rolled.code, rolled.stderr).to.equal(6);
    expect(service.runs()).to.deep.equal(eachOnce(names.slice(0, 8)));

    await Promise.all(gone.map((node) => agentOf(node).start()));
    await untilPresent('alive', ...gone);
    // They say that they were killed at it, which corrects the history; and nobody does it again.
    await eventually(
      async () => {
        const known = rolledIn(await client('requests', 'show', rolled.id, '--format', 'full'));
        return known.nodesThatAre('interrupted') === gone.join(' ');
      },
      'the late answers are known',
      20_000,
    );
    expect(service.runs()).to.deep.equal(eachOnce(names.slice(0, 8)));
  });
});

function rolledIn({ code, stdout, stderr }: { code: number | null; stdout: string; stderr: string }): Rolled {
  const document: unknown = stdout === '' ? undefined : JSON.parse(stdout);
  if (!isObject(document)) throw new Error(`the client (${code}) printed no document: ${stderr}`);
  const { request, results, outcomes, counts } = document;
  if (!isObject(request) || !isObject(request['rollout'])) throw new Error(`no rollout in ${stdout}`);
  const listed = [outcomes].flat().filter(isObject);
  const answers = [results].flat().filter(isObject);
  const nodeOf = ({ result, node }: JsonObject) => String(isObject(result) ? result['node'] : node);
  return {
    ...{ code, stderr, counts, id: String(request['id']), rollout: request['rollout'] },
    msgs: new Map(answers.map((answer) => [nodeOf(answer), answer['msg']])),
    nodesThatAre: (wanted) =>
      listed.flatMap(({ node, outcome }) => (outcome === wanted ? [node] : [])).join(' '),
  };
}

function eachOnce(nodes: readonly string[]): Record<string, number> {
  return Object.fromEntries(nodes.map((node) => [node, 1]));
}

/** Each batch began when all of the one before had ended. */
function inBatches(spans: readonly Span[], sizes: readonly number[]): boolean {
  let from = 0;
  return sizes.every((size) => {
    const lastEndMs = Math.max(0, ...spans.slice(0, from).map(({ endMs }) => endMs ?? Infinity));
    const begun = spans.slice(from, from + size);
    from += size;
    return begun.length === size && begun.every(({ beginMs }) => beginMs >= lastEndMs);
  });
}
