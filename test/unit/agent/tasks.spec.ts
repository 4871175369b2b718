import { expect } from 'chai';
import fc from 'fast-check';
import { Answers } from '../../../src/agent/answers.ts';
import { HealthChecks } from '../../../src/agent/health.ts';
import { type TaskHooks, Tasks, type TasksOptions } from '../../../src/agent/tasks.ts';
import type { Provider } from '../../../src/provider/provider.ts';
import { Service8 } from '../../../src/provider/service8.ts';
import { message } from '../../../src/wire/codec.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import { actions, NodeName, ServiceName } from '../../../src/wire/fields.ts';
import { RequestBody } from '../../../src/wire/request.ts';
import type { Answer, MemberResult } from '../../../src/wire/result.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { ScriptedProbe } from '../../fakes/scripted-probe.ts';
import { ScriptedProcesses } from '../../fakes/scripted-processes.ts';

const host = {
  hostname: 'web1',
  system: 'Linux',
  release: '6.1',
  version: '#1 SMP',
  machine: 'x86_64',
  osRelease: {},
};
const answers = new Answers(message('node', 300, NodeName).parse('web1'), host);
const serviceNames = message('service', 300, ServiceName);
const minute = 60_000;
const programs = new Map([['web', ['/usr/lib/check', '-q']]]);
let requests = 0;

/** `nginx stop` -> a request for it, with an id of its own. */
function request(command: string, changes: Partial<RequestBody> = {}): RequestBody {
  const [service, cmd] = command.split(' ');
  requests += 1;
  const id = requests.toString(16).padStart(32, '0');
  return RequestBody.parse({ id, cmd, topic: 'any', service, ...changes });
}

/** An agent's tasks over service(8) as the test scripts it. */
class Bench {
  readonly clock = new ManualClock();
  readonly processes = new ScriptedProcesses({}, this.clock);
  readonly probe = new ScriptedProbe(this.clock);
  readonly tasks: Tasks;
  /** What an action on a service touches beside it. */
  readonly otherNames = new Map<string, readonly ServiceName[]>();
  /** What was answered, in the order of the answers: `nginx stop` -> 0, or the code of trouble. */
  readonly answered: Array<readonly [command: string, outcome: unknown]> = [];

  constructor(options: Partial<TasksOptions> = {}) {
    const { processes, probe, clock } = this;
    const service8 = new Service8({
      processes,
      program: 'service',
      system: 'Linux',
      outputLimitBytes: 1_000,
    });
    const namesOf = (service: ServiceName) => [service, ...(this.otherNames.get(service) ?? [])];
    const provider = Object.assign(service8, { namesOf });
    this.tasks = new Tasks({
      ...{ provider, clock, answers },
      health: new HealthChecks({ clock, probe, processes, programs }),
      actions: new Set(actions),
      actionTimeoutMs: minute,
      maxTasks: 1_000,
      ...options,
    });
  }

  /** Hands a request in; its action ends when the test says so. */
  hand(command: string, hooks: Partial<TaskHooks> & Partial<RequestBody> = {}): Promise<Answer> {
    const { begin = () => {}, signal = new AbortController().signal, ...changes } = hooks;
    this.processes.hold(`service ${command}`);
    const body = request(command, changes);
    const answer = this.tasks.run(body, { begin, signal });
    void answer.then((said) => this.answered.push([command, outcomeOf(said)]));
    return answer;
  }

  /** Ends the action, and lets come what comes of that. */
  async end(command: string, exitCode = 0): Promise<void> {
    this.processes.release(`service ${command}`, { exitCode });
    await this.settle();
  }

  settle(): Promise<void> {
    return this.clock.advanceAsync(0);
  }

  /** From now on `web` stands for these, too: `touch('web', 'db', 'app')`. */
  touch(service: string, ...others: readonly string[]): void {
    this.otherNames.set(
      service,
      others.map((other) => serviceNames.parse(other)),
    );
  }

  isBusy(service: string): boolean {
    return this.tasks.isBusy(serviceNames.parse(service));
  }

  /** What runs now. */
  get running(): string[] {
    return this.processes.held.map((command) => command.slice('service '.length));
  }
}

function outcomeOf(answer: Answer): unknown {
  return 'result' in answer ? answer.result.returncode : answer.code;
}

describe('a task', () => {
  it('is answered with what the service manager of the host said', async () => {
    const bench = new Bench();
    const body = request('nginx status');
    bench.processes.answer('service nginx status', { exitCode: 3, stdout: 'stopped\n', durationMs: 5 });
    const answer = await bench.tasks.run(body, { begin: () => {}, signal: new AbortController().signal });
    expect(answer).to.deep.equal({
      msg: 'Executed service status request',
      result: {
        node: 'web1',
        returncode: 3,
        service: 'nginx',
        stdout: 'stopped\n',
        stderr: '',
        system: 'Linux',
        version: '#1 SMP',
        state: 'stopped',
        provider: 'service(8)',
        durationMs: 5,
      },
      uuid: body.id,
    });
  });

  it('is announced right before its action starts, not while it waits', async () => {
    const bench = new Bench();
    const began: string[] = [];
    bench.hand('nginx stop');
    bench.hand('nginx start', { begin: () => began.push(...bench.running, 'now') });
    await bench.settle();
    expect(began).to.deep.equal([]);
    await bench.end('nginx stop');
    expect(began).to.deep.equal(['now']);
    expect(bench.running).to.deep.equal(['nginx start']);
  });

  it('that may not begin is answered with the reason, and nothing runs', async () => {
    const bench = new Bench();
    bench.hand('nginx stop', {
      begin: () => {
        throw new ServiceManagerError('JOURNAL_UNAVAILABLE', 'the disk is full');
      },
    });
    await bench.settle();
    expect(bench.answered).to.deep.equal([['nginx stop', 'JOURNAL_UNAVAILABLE']]);
    expect(bench.processes.runs).to.deep.equal([]);
  });

  it('of an action outside the closed list is refused with the list, and nothing runs', async () => {
    const bench = new Bench({ actions: new Set(['start', 'configtest']) });
    expect(await bench.hand('nginx stop')).to.deep.include({
      success: -1,
      code: 'ACTION_NOT_ALLOWED',
      msg: 'action "stop" is not allowed, expected one of start, configtest',
    });
    bench.hand('nginx configtest');
    await bench.settle();
    expect(bench.processes.runs).to.deep.equal(['service nginx configtest']);
  });

  it('counts as long as it waits or runs', async () => {
    const bench = new Bench();
    bench.hand('nginx stop');
    bench.hand('nginx start');
    expect([bench.tasks.count, bench.isBusy('nginx'), bench.isBusy('cron')]).to.deep.equal([2, true, false]);
    await bench.settle();
    await bench.end('nginx stop');
    expect([bench.tasks.count, bench.isBusy('nginx')]).to.deep.equal([1, true]);
    await bench.end('nginx start');
    expect([bench.tasks.count, bench.isBusy('nginx')]).to.deep.equal([0, false]);
  });
});

describe('actions of one service', () => {
  it('run one at a time, in the order in which they came', async () => {
    const bench = new Bench();
    for (const action of ['stop', 'start', 'status', 'stop']) bench.hand(`nginx ${action}`);
    await bench.settle();
    for (const action of ['stop', 'start', 'status', 'stop']) {
      expect(bench.running).to.deep.equal([`nginx ${action}`]);
      await bench.end(`nginx ${action}`);
    }
    expect(bench.answered.map(([command]) => command)).to.deep.equal([
      'nginx stop',
      'nginx start',
      'nginx status',
      'nginx stop',
    ]);
  });

  it('go on after one that failed, timed out, could not be run or may not begin', async () => {
    const bench = new Bench();
    bench.hand('nginx stop');
    await bench.settle();
    bench.hand('nginx start', { timeoutMs: 1_000 });
    bench.hand('nginx reload', {
      begin: () => {
        throw new ServiceManagerError('CANCELLED', 'no');
      },
    });
    bench.hand('nginx status');
    await bench.end('nginx stop', 1);
    await bench.clock.advanceAsync(1_000);
    await bench.settle();
    expect(bench.running).to.deep.equal(['nginx status']);
    expect(bench.answered).to.deep.equal([
      ['nginx stop', 1],
      ['nginx start', -15],
      ['nginx reload', 'CANCELLED'],
    ]);
  });

  it('wait for each other whatever the name of the service', async () => {
    const bench = new Bench();
    for (const service of ['__proto__', 'constructor']) {
      bench.hand(`${service} stop`);
      bench.hand(`${service} start`);
    }
    await bench.settle();
    expect(bench.running).to.deep.equal(['__proto__ stop', 'constructor stop']);
  });
});

describe('actions of different services', () => {
  it('run at the same time', async () => {
    const bench = new Bench();
    for (const service of ['nginx', 'cron', 'sshd']) bench.hand(`${service} restart`);
    await bench.settle();
    expect(bench.running).to.deep.equal(['nginx restart', 'cron restart', 'sshd restart']);
  });

  it('are not delayed by one that hangs', async () => {
    const bench = new Bench();
    bench.hand('nginx restart');
    for (const action of ['stop', 'start', 'status']) bench.hand(`cron ${action}`);
    await bench.settle();
    for (const action of ['stop', 'start', 'status']) await bench.end(`cron ${action}`);
    expect(bench.answered).to.deep.equal([
      ['cron stop', 0],
      ['cron start', 0],
      ['cron status', 0],
    ]);
    expect(bench.running).to.deep.equal(['nginx restart']);
  });

  it('end in any order, each one service in its own, every request answered once', async () => {
    const handed = fc.array(
      fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('stop', 'start', 'status')),
      {
        maxLength: 15,
      },
    );
    await fc.assert(
      fc.asyncProperty(handed, fc.infiniteStream(fc.nat()), async (all, picks) => {
        const bench = new Bench();
        const commands = all.map(([service, action]) => `${service} ${action}`);
        for (const command of commands) bench.hand(command);
        await bench.settle();
        while (bench.running.length > 0) {
          const services = bench.running.map((command) => command.split(' ')[0]);
          expect(services).to.deep.equal([...new Set(services)]);
          const pick = picks.next().value % bench.running.length;
          await bench.end(bench.running[pick] ?? '');
        }
        for (const service of ['a', 'b', 'c']) {
          const of = (list: readonly string[]) => list.filter((command) => command.startsWith(service));
          expect(of(bench.answered.map(([command]) => command))).to.deep.equal(of(commands));
        }
        expect(bench.tasks.count).to.equal(0);
      }),
      { numRuns: 50 },
    );
  });
});

describe('actions that touch the same services', () => {
  it('run one at a time: a bundle and its members, in the order in which they came', async () => {
    const bench = new Bench();
    bench.touch('bundle:web', 'db', 'app');
    const commands = ['db stop', 'bundle:web start', 'app status', 'bundle:web stop'];
    for (const command of commands) bench.hand(command);
    await bench.settle();
    bench.touch('bundle:mail', 'app');
    expect(bench.isBusy('bundle:mail')).to.equal(true);
    for (const command of commands) {
      expect(bench.running).to.deep.equal([command]);
      await bench.end(command);
    }
    expect(bench.answered.map(([command]) => command)).to.deep.equal(commands);
    expect(commands.some((command) => bench.isBusy(command.split(' ')[0] ?? ''))).to.equal(false);
  });

  it('run one at a time under two names of one service', async () => {
    const bench = new Bench();
    bench.touch('cron', 'crond');
    bench.touch('crond', 'cron');
    bench.hand('cron restart');
    expect(bench.isBusy('crond')).to.equal(true);
    bench.hand('crond restart');
    await bench.settle();
    expect(bench.running).to.deep.equal(['cron restart']);
    await bench.end('cron restart');
    expect(bench.running).to.deep.equal(['crond restart']);
  });

  it('run at the same time when they have none in common', async () => {
    const bench = new Bench();
    bench.touch('bundle:web', 'db', 'app');
    bench.touch('bundle:mail', 'postfix');
    for (const service of ['bundle:web', 'bundle:mail', 'cron']) bench.hand(`${service} start`);
    await bench.settle();
    expect(bench.running).to.deep.equal(['bundle:web start', 'bundle:mail start', 'cron start']);
  });

  it('wait for what a bundle got while they waited', async () => {
    const bench = new Bench();
    bench.touch('bundle:web', 'db');
    for (const command of ['db stop', 'app stop', 'bundle:web start', 'db start']) bench.hand(command);
    await bench.settle();
    expect(bench.running).to.deep.equal(['db stop', 'app stop']);
    bench.touch('bundle:web', 'db', 'app');
    await bench.end('db stop');
    expect(bench.running).to.deep.equal(['app stop', 'db start']);
    await bench.end('app stop');
    expect(bench.running).to.deep.equal(['db start']);
    await bench.end('db start');
    expect(bench.running).to.deep.equal(['bundle:web start']);
    await bench.end('bundle:web start');
    expect(bench.tasks.count).to.equal(0);
  });

  it('never run together and all come to their end, whatever they touch', async () => {
    const letters = ['a', 'b', 'c', 'd'] as const;
    const touches = fc.dictionary(fc.constantFrom(...letters), fc.uniqueArray(fc.constantFrom(...letters)));
    const handed = fc.array(fc.constantFrom(...letters), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(touches, handed, fc.infiniteStream(fc.nat()), async (touched, services, picks) => {
        const actionsHanded = services.map((_, at) => `action${at}`);
        const bench = new Bench({ actions: new Set(actionsHanded) });
        for (const [service, others] of Object.entries(touched)) bench.touch(service, ...others);
        const namesOf = (command: string) => {
          const service = command.slice(0, 1);
          return new Set([service, ...(touched[service] ?? [])]);
        };
        for (const [at, service] of services.entries()) bench.hand(`${service} action${at}`);
        await bench.settle();
        for (const _ of services) {
          const together = bench.running.flatMap((command) => [...namesOf(command)]);
          expect(together).to.deep.equal([...new Set(together)]);
          await bench.end(bench.running[picks.next().value % bench.running.length] ?? '');
        }
        expect(bench.answered).to.have.length(services.length);
        expect([bench.tasks.count, bench.running]).to.deep.equal([0, []]);
      }),
      { numRuns: 100 },
    );
  });
});

describe('the time limit of an action', () => {
  for (const [what, asked, limitMs] of [
    ["is the agent's own when the request says none", undefined, minute],
    ["is the request's when that is shorter", 1_000, 1_000],
    ["is the agent's when the request asks for longer", 2 * minute, minute],
  ] as const) {
    it(what, async () => {
      const bench = new Bench();
      const answer = bench.hand('nginx restart', asked === undefined ? {} : { timeoutMs: asked });
      await bench.clock.advanceAsync(limitMs - 1);
      expect(bench.answered).to.deep.equal([]);
      await bench.clock.advanceAsync(1);
      await bench.settle();
      expect(bench.answered).to.deep.equal([['nginx restart', -15]]);
      expect(await answer).to.have.property(
        'msg',
        `Executed service restart request: ended after its time limit of ${limitMs / 1_000} s`,
      );
    });
  }

  it('does not begin while the action waits for its turn', async () => {
    const bench = new Bench();
    bench.hand('nginx stop');
    bench.hand('nginx start', { timeoutMs: 1_000 });
    await bench.clock.advanceAsync(30_000);
    await bench.end('nginx stop');
    await bench.clock.advanceAsync(999);
    expect(bench.running).to.deep.equal(['nginx start']);
  });
});

describe('an agent with all it may have in work', () => {
  it('refuses one more, of whichever service', async () => {
    const bench = new Bench({ maxTasks: 2 });
    bench.hand('nginx stop');
    bench.hand('nginx start');
    await bench.settle();
    for (const service of ['nginx', 'cron']) {
      expect(await bench.hand(`${service} status`)).to.deep.include({
        success: -1,
        code: 'TOO_BUSY',
        msg: '2 actions are running or waiting already; try again later',
      });
    }
    expect(bench.processes.runs).to.deep.equal(['service nginx stop']);
  });

  it('takes one more when one has ended', async () => {
    const bench = new Bench({ maxTasks: 1 });
    bench.hand('nginx stop');
    await bench.settle();
    await bench.end('nginx stop');
    bench.hand('cron status');
    await bench.settle();
    expect(bench.running).to.deep.equal(['cron status']);
  });
});

describe('trouble with the provider', () => {
  const failing = (error: unknown): Provider => ({
    run: () => Promise.reject(error),
    inspect: () => Promise.reject(error),
  });

  it('is answered with its code and its reason', async () => {
    const trouble = new ServiceManagerError('PROVIDER_FAILED', 'cannot run service: ENOENT');
    const bench = new Bench({ provider: failing(trouble) });
    expect(await bench.hand('nginx status')).to.deep.include({
      success: -1,
      msg: 'cannot run service: ENOENT',
      node: 'web1',
      code: 'PROVIDER_FAILED',
    });
    await bench.settle();
    expect(bench.tasks.count).to.equal(0);
  });

  it('that nobody expected goes up', async () => {
    const bug = new TypeError('oops');
    const bench = new Bench({ provider: failing(bug) });
    const hooks = { begin: () => {}, signal: new AbortController().signal };
    const thrown = await bench.tasks.run(request('nginx status'), hooks).catch((error: unknown) => error);
    expect(thrown).to.equal(bug);
  });
});

describe('cancelling', () => {
  it('a task that waits answers for it at once, and it never runs', async () => {
    const bench = new Bench();
    const cancel = new AbortController();
    let hasBegun = false;
    bench.hand('nginx stop');
    bench.hand('nginx start', {
      signal: cancel.signal,
      begin: () => {
        hasBegun = true;
      },
    });
    await bench.settle();
    cancel.abort();
    await bench.settle();
    expect(bench.answered).to.deep.equal([['nginx start', 'CANCELLED']]);
    await bench.end('nginx stop');
    expect(hasBegun).to.equal(false);
    expect(bench.processes.runs).to.deep.equal(['service nginx stop']);
    expect(bench.tasks.count).to.equal(0);
  });

  it('a task that runs ends it and answers that it was cancelled', async () => {
    const bench = new Bench();
    const cancel = new AbortController();
    bench.hand('nginx stop', { signal: cancel.signal });
    bench.hand('nginx start');
    await bench.settle();
    cancel.abort();
    await bench.settle();
    expect(bench.answered).to.deep.equal([['nginx stop', 'CANCELLED']]);
    expect(bench.running).to.deep.equal(['nginx start']);
  });

  it('a task that has ended changes nothing', async () => {
    const bench = new Bench();
    const cancel = new AbortController();
    bench.hand('nginx stop', { signal: cancel.signal });
    await bench.settle();
    await bench.end('nginx stop');
    cancel.abort();
    await bench.settle();
    expect(bench.answered).to.deep.equal([['nginx stop', 0]]);
  });
});

describe('a bundle that is cancelled while it runs', () => {
  it('is answered with how far each member had come', async () => {
    const members = [
      { service: 'db', outcome: 'ok' },
      { service: 'app', outcome: 'cancelled' },
      { service: 'db', outcome: 'ok', isRollback: true },
    ].map((member) => member as MemberResult);
    const nothing = { text: '', cutBytes: 0 };
    const result = {
      exitCode: 1,
      timedOut: false,
      aborted: true,
      stdout: nothing,
      stderr: nothing,
      durationMs: 1,
    };
    const run = () => Promise.resolve({ ...result, provider: 'bundle', state: 'unknown' as const, members });
    const inspect = () => Promise.reject(new Error('nobody asked'));
    const bench = new Bench({ provider: { run, inspect } });
    expect(await bench.hand('bundle:web start')).to.deep.include({
      code: 'CANCELLED',
      msg: 'bundle:web start was cancelled while it was running: db ok, app cancelled, db roll-back ok',
    });
  });
});

describe('draining', () => {
  it('ends at once when nothing is in work', async () => {
    await new Bench().tasks.drain();
  });

  it('refuses what comes later', async () => {
    const bench = new Bench();
    await bench.tasks.drain();
    expect(await bench.hand('nginx status')).to.deep.include({ code: 'SHUTTING_DOWN' });
    expect(bench.processes.runs).to.deep.equal([]);
  });

  it('refuses what waits, at once, and never runs it', async () => {
    const bench = new Bench();
    for (const action of ['stop', 'start', 'status']) bench.hand(`nginx ${action}`);
    await bench.settle();
    void bench.tasks.drain();
    await bench.settle();
    expect(bench.answered).to.deep.equal([
      ['nginx start', 'SHUTTING_DOWN'],
      ['nginx status', 'SHUTTING_DOWN'],
    ]);
    await bench.end('nginx stop');
    expect(bench.processes.runs).to.deep.equal(['service nginx stop']);
  });

  it('lets what runs finish, and ends then', async () => {
    const bench = new Bench();
    let isDrained = false;
    for (const service of ['nginx', 'cron']) bench.hand(`${service} restart`);
    bench.hand('nginx status');
    await bench.settle();
    void bench.tasks.drain().then(() => {
      isDrained = true;
    });
    await bench.end('nginx restart');
    expect(isDrained).to.equal(false);
    await bench.end('cron restart', 1);
    expect(isDrained).to.equal(true);
    expect(bench.answered).to.deep.equal([
      ['nginx status', 'SHUTTING_DOWN'],
      ['nginx restart', 0],
      ['cron restart', 1],
    ]);
  });
});

describe('interrupting', () => {
  it('answers for what runs, and leaves it alone', async () => {
    const bench = new Bench();
    const answer = bench.hand('nginx restart');
    await bench.settle();
    void bench.tasks.drain();
    bench.tasks.interrupt();
    expect(await answer).to.deep.include({
      success: -1,
      code: 'INTERRUPTED',
      msg: 'the agent stopped while nginx restart was running; it was left alone',
    });
    expect(bench.running).to.deep.equal(['nginx restart']);
  });

  it('does not answer twice, neither for what was refused nor for what ends later', async () => {
    const bench = new Bench();
    bench.hand('nginx stop');
    bench.hand('nginx start');
    await bench.settle();
    void bench.tasks.drain();
    bench.tasks.interrupt();
    await bench.settle();
    await bench.end('nginx stop');
    expect(bench.answered).to.deep.equal([
      ['nginx start', 'SHUTTING_DOWN'],
      ['nginx stop', 'INTERRUPTED'],
    ]);
  });
});

describe('a settle time', () => {
  it('goes to the provider as the request has it, or not at all', async () => {
    const asked: unknown[] = [];
    const provider: Provider = {
      run: async (_service, _action, { settleMs, timeoutMs }) => {
        asked.push([settleMs, timeoutMs]);
        throw new ServiceManagerError('PROVIDER_FAILED', 'enough');
      },
      inspect: () => Promise.reject(new Error('nobody asks')),
    };
    const bench = new Bench({ provider });
    for (const changes of [{}, { settleMs: 0 }, { settleMs: 7_000, timeoutMs: 9_000 }])
      await bench.hand('nginx restart', changes);
    expect(asked).to.deep.equal([
      [undefined, minute],
      [0, minute],
      [7_000, 9_000],
    ]);
  });
});

describe('a health check', () => {
  it('is done after an action that went well, and is part of the answer', async () => {
    const bench = new Bench();
    bench.probe.set(80, 204);
    const answer = bench.hand('nginx restart', { health: 'http:80/up' });
    await bench.settle();
    expect(bench.probe.attempts).to.deep.equal([]);
    await bench.end('nginx restart');
    expect(await answer)
      .to.have.nested.property('result.health')
      .that.deep.equals({
        check: 'http:80/up',
        isHealthy: true,
        attempts: 1,
        detail: 'HTTP 204',
      });
  });

  it('is not done after one that failed, ran into its time limit or is unverified', async () => {
    const bench = new Bench();
    bench.hand('nginx restart', { health: 'tcp:80' });
    bench.hand('cron restart', { health: 'tcp:80', timeoutMs: 1_000 });
    await bench.settle();
    await bench.end('nginx restart', 1);
    await bench.clock.advanceAsync(1_000);
    await bench.settle();
    const unverified = new Bench({
      provider: {
        run: async () => ({
          ...{ exitCode: 0, timedOut: false, aborted: false, durationMs: 1, provider: 'x', state: 'stopped' },
          ...{ stdout: { text: '', cutBytes: 0 }, stderr: { text: '', cutBytes: 0 } },
          verification: { isVerified: false, after: 'stopped', changes: 0, settleMs: 2_000 },
        }),
        inspect: () => Promise.reject(new Error('nobody asks')),
      },
    });
    const answer = await unverified.hand('nginx restart', { health: 'tcp:80' });
    expect(answer).to.not.have.nested.property('result.health');
    expect(bench.answered).to.deep.equal([
      ['nginx restart', 1],
      ['cron restart', -15],
    ]);
    expect([...bench.probe.attempts, ...unverified.probe.attempts]).to.deep.equal([]);
  });

  it('shares the time limit with the action', async () => {
    const bench = new Bench();
    const answer = bench.hand('nginx restart', { health: 'tcp:80', timeoutMs: 3_000 });
    await bench.clock.advanceAsync(1_000);
    await bench.end('nginx restart');
    await bench.clock.advanceAsync(1_999);
    expect(bench.answered).to.deep.equal([]);
    await bench.clock.advanceAsync(1);
    await bench.settle();
    expect(await answer).to.deep.include({
      msg: 'Executed service restart request, but the health check tcp:80 failed: connect ECONNREFUSED 127.0.0.1:80',
    });
  });

  it('that this node cannot do is refused, and nothing runs', async () => {
    const bench = new Bench();
    expect(await bench.hand('nginx restart', { health: 'exec:db' })).to.deep.include({
      success: -1,
      code: 'ACTION_NOT_ALLOWED',
      msg: 'health check "db" is not in the configuration of this node, expected one of web',
    });
    expect(bench.processes.runs).to.deep.equal([]);
  });

  for (const [what, stop] of [
    ['the request is cancelled', (_bench: Bench, cancel: AbortController) => cancel.abort()],
    ['the agent stops', (bench: Bench) => bench.tasks.conclude()],
  ] as const) {
    it(`that hangs ends at once when ${what}: the action has run`, async () => {
      const bench = new Bench();
      bench.probe.set(80, 'hangs');
      const cancel = new AbortController();
      const answer = bench.hand('nginx restart', { health: 'http:80/', signal: cancel.signal });
      await bench.settle();
      await bench.end('nginx restart');
      expect(bench.answered).to.deep.equal([]);
      stop(bench, cancel);
      await bench.settle();
      expect(await answer)
        .to.have.nested.property('result.health')
        .that.deep.includes({
          isHealthy: false,
          detail: 'cancelled',
        });
    });
  }
});
