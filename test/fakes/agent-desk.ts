import { Answers } from '../../src/agent/answers.ts';
import { Gate, type GateRules, trustingRules } from '../../src/agent/gate.ts';
import { HealthChecks } from '../../src/agent/health.ts';
import { Link } from '../../src/agent/link.ts';
import { RequestAudit } from '../../src/agent/request-audit.ts';
import { RequestDesk } from '../../src/agent/requests.ts';
import { Tasks } from '../../src/agent/tasks.ts';
import { serve } from '../../src/platform/serve.ts';
import { Service8 } from '../../src/provider/service8.ts';
import { type AuditLog, Auditor } from '../../src/store/auditor.ts';
import type { Journal } from '../../src/store/journal.ts';
import { MemoryJournal } from '../../src/store/memory-journal.ts';
import { message } from '../../src/wire/codec.ts';
import type { Signed } from '../../src/wire/dispatch.ts';
import { ServiceManagerError } from '../../src/wire/errors.ts';
import { actions, NodeName, type RequestId, type Topic } from '../../src/wire/fields.ts';
import { BootId } from '../../src/wire/presence.ts';
import { RequestBody } from '../../src/wire/request.ts';
import type { Answer } from '../../src/wire/result.ts';
import { openSinkMessage, type SinkMessage } from '../../src/wire/sink.ts';
import type { ProtocolVersion } from '../../src/wire/topic.ts';
import { ManualClock } from './manual-clock.ts';
import { MemorySockets } from './memory-sockets.ts';
import { RecordedLog } from './recorded-log.ts';
import { ScriptedProbe } from './scripted-probe.ts';
import { ScriptedProcesses } from './scripted-processes.ts';

const node = message('node', 300, NodeName).parse('web1');
const boots = message('boot', 64, BootId);
const id = '0123456789abcdef0123456789abcdef' as RequestId;
const host = {
  hostname: 'web1',
  system: 'Linux',
  release: '6.1',
  version: '#1 SMP',
  machine: 'x86_64',
  osRelease: {},
};

export interface DeskOptions {
  readonly journal?: Journal;
  readonly protocol?: ProtocolVersion;
  readonly managers?: readonly string[];
  readonly maxTasks?: number;
  /** Default: whatever a manager sends is run. */
  readonly rules?: GateRules;
  readonly audit?: AuditLog;
}

/** The desk of web1, with the sinks of its managers played by the test. */
export class AgentDesk {
  readonly clock = new ManualClock();
  readonly log = new RecordedLog();
  readonly journal: Journal;
  readonly processes = new ScriptedProcesses({ 'service nginx status': {}, 'service nginx restart': {} });
  readonly links: Link[] = [];
  /** `m1 ack queued`, `m1 result 0` or `m1 result CANCELLED`; also `journal start` and `run service nginx restart`. */
  readonly said: string[] = [];
  readonly answers: Answer[] = [];
  readonly failures: unknown[] = [];
  readonly desk: RequestDesk;
  readonly gate: Gate;
  readonly auditor: Auditor;
  /** Methods of the journal that throw. */
  failing: readonly string[] = [];

  private constructor({
    journal = new MemoryJournal(),
    maxTasks = 10,
    rules = trustingRules,
    audit,
  }: DeskOptions) {
    this.journal = this.#watched(journal);
    const { clock, log, processes } = this;
    const answers = new Answers(node, host);
    const provider = new Service8({
      processes,
      program: 'service',
      system: 'Linux',
      outputLimitBytes: 1_000,
    });
    const probe = new ScriptedProbe(clock);
    const tasks = new Tasks({
      ...{ answers, clock },
      health: new HealthChecks({ clock, probe, processes, programs: new Map() }),
      provider: {
        run: (service, action, limits) => {
          this.said.push(`run ${service} ${action}`);
          limits.onOutput?.('printed\n', 'stdout');
          return provider.run(service, action, limits);
        },
        inspect: (service, limits) => provider.inspect(service, limits),
      },
      actions: new Set(actions),
      actionTimeoutMs: 60_000,
      maxTasks,
    });
    this.auditor = new Auditor(audit, log, clock);
    this.gate = new Gate({
      ...{ clock, node, rules, topics: () => new Set(['any'] as Topic[]) },
      namesOf: (service) => [service],
    });
    this.desk = new RequestDesk({
      ...{
        clock,
        log,
        tasks,
        answers,
        gate: this.gate,
        audit: new RequestAudit(this.auditor),
        journal: this.journal,
      },
      boot: boots.parse('b'.repeat(32)),
      random: () => 0.5,
      fail: (error) => this.failures.push(error),
    });
  }

  static async of(options: DeskOptions = {}): Promise<AgentDesk> {
    const desk = new AgentDesk(options);
    const sockets = new MemorySockets();
    for (const name of options.managers ?? ['m1']) {
      const sinkEndpoint = `ipc:///run/${name}`;
      const sink = await sockets.bindPull(sinkEndpoint);
      void serve(sink, (frames) => {
        const said = openSinkMessage(frames);
        desk.said.push(`${name} ${shown(said)}`);
        if (said.type === 'result') desk.answers.push(said.answer);
      });
      const link = new Link({
        sockets,
        managerEndpoint: `ipc:///run/${name}-backend`,
        sinkEndpoint,
        node,
        topics: new Set(),
        protocol: options.protocol ?? 'v2',
        nextSequence: () => 0,
      });
      desk.links.push(link);
    }
    if (options.journal === undefined) desk.desk.restore(desk.links);
    return desk;
  }

  get link(): Link {
    const [link] = this.links;
    if (link === undefined) throw new Error('no link');
    return link;
  }

  linkTo(name: string): Link {
    const link = this.links.find((each) => each.name.endsWith(name));
    if (link === undefined) throw new Error(`no link to ${name}`);
    return link;
  }

  /** Takes in `nginx restart`, which nobody has signed. */
  receive(command: string, changes: Partial<RequestBody> = {}, link = this.link): Promise<void> {
    return this.hear(bodyOf(command, changes), undefined, link);
  }

  async hear(body: RequestBody, signed: Signed | undefined, link = this.link): Promise<void> {
    this.desk.receive(body, signed, link);
    await this.settle();
  }

  settle(): Promise<void> {
    return this.clock.advanceAsync(0);
  }

  /** What was said since the last time. */
  heard(): string[] {
    return this.said.splice(0);
  }

  #watched(journal: Journal): Journal {
    const note = <Result>(method: string, call: () => Result): Result => {
      if (this.failing.includes(method)) throw new ServiceManagerError('JOURNAL_UNAVAILABLE', 'disk full');
      this.said.push(`journal ${method}`);
      return call();
    };
    return {
      find: (of) => journal.find(of),
      start: (entry) => note('start', () => journal.start(entry)),
      finish: (...args) => note('finish', () => journal.finish(...args)),
      cancel: (...args) => note('cancel', () => journal.cancel(...args)),
      interrupted: () => journal.interrupted(),
      owe: (...args) => note('owe', () => journal.owe(...args)),
      delivered: (...args) => note('delivered', () => journal.delivered(...args)),
      undelivered: () => journal.undelivered(),
      prune: (...args) => note('prune', () => journal.prune(...args)),
      close: () => journal.close(),
    };
  }
}

/** Of `nginx restart` on any node. */
export function bodyOf(command: string, changes: Partial<RequestBody> = {}): RequestBody {
  const [service, cmd] = command.split(' ');
  return RequestBody.parse({ id, cmd, service, topic: 'any', ...changes });
}

function shown(said: SinkMessage): string {
  if (said.type === 'ack') return `ack ${said.phase}`;
  if (said.type === 'output') return `output ${said.payload}`;
  if (said.type !== 'result') return said.type;
  return `result ${'result' in said.answer ? said.answer.result.returncode : said.answer.code}`;
}
