import type { Ledger } from '../../src/core/ledger.ts';
import type { Aim, AimedNode, LedgerEvent, StoredEntry } from '../../src/core/ledger-events.ts';
import { type RequestEffect, Requests } from '../../src/core/requests.ts';
import type { RolloutPlan, RolloutState } from '../../src/core/rollout.ts';
import { orderNodes } from '../../src/core/rollout-order.ts';
import { Roster, type RosterEffect, type StoredMember } from '../../src/core/roster.ts';
import { message } from '../../src/wire/codec.ts';
import { NodeName, oneOf, RequestId } from '../../src/wire/fields.ts';
import { outcomes } from '../../src/wire/outcome.ts';
import { Hello } from '../../src/wire/presence.ts';
import { lettersOf, millisecondsOf, partsOf, progressOf, stateOf, wordsOf } from './words.ts';

const node = message('node', 300, NodeName).parse;
const outcome = message('outcome', 64, oneOf(outcomes)).parse;
const phase = message('phase', 64, oneOf(['queued', 'running'])).parse;
const id = message('id', 64, RequestId).parse;

// As src/manager/ has them; the draw of 0.5 makes each pause exactly what it is called.
const bounds = { lostAfterMs: 15_000, reconnectGraceMs: 2_000 };
const pauses = { firstPauseMs: 1_000, longestPauseMs: 10_000, cancelGraceMs: 10_000, jitter: () => 0.5 };
const limits = { maxOpen: 10, maxEnded: 10, maxEndedNodes: 100 };
const tickMs = 100;
const pulseMs = 5_000;
const defaultWindowMs = 60_000;

/** What the store has of the request: the next run of the manager knows it. */
interface Stored {
  aim: Aim | undefined;
  plan: RolloutPlan | undefined;
  rollout: RolloutState | undefined;
  readonly entries: Map<NodeName, StoredEntry>;
  isOver: boolean;
  isCancelled: boolean;
  endsAtMs: number;
}

/** The decisions of one manager, wired as src/manager/ wires them, with one request at a time. Commands: see README.md. */
export class World {
  #roster = new Roster(bounds);
  #requests = new Requests(limits, pauses);
  #ledger: Ledger | undefined;
  readonly #stored: Stored = {
    ...{ aim: undefined, plan: undefined, rollout: undefined, entries: new Map() },
    ...{ isOver: false, isCancelled: false, endsAtMs: 0 },
  };
  /** Agents that answer each pulse, as `node/run`. */
  readonly #beating = new Set<string>();
  readonly #lines: string[] = [];
  #ms = 0;
  #opened = 0;

  run(command: string): readonly string[] {
    const [verb = '', ...words] = command.split(' ');
    const carryOut = this.#verbs[verb];
    if (carryOut === undefined) throw new Error(`unknown command: ${command}`);
    this.#lines.length = 0;
    carryOut(words);
    return [...this.#lines];
  }

  readonly #verbs: Readonly<Record<string, (words: readonly string[]) => void>> = {
    start: (words) => {
      for (const agent of words) this.#start(agent);
    },
    hello: ([agent = '', ...topics]) => this.#hello(agent, topics),
    beat: ([agent = '']) => this.#beat(agent),
    bye: ([agent = '']) => {
      this.#beating.delete(agent);
      const [name, boot] = partsOf(agent);
      this.#onRoster(this.#roster.bye(name, boot, this.#now()));
    },
    hang: (words) => {
      for (const agent of words) this.#beating.delete(agent);
    },
    beats: (words) => {
      for (const agent of words) this.#beating.add(agent);
    },
    connect: (words) => {
      for (const name of words) this.#connect(node(name));
    },
    disconnect: (words) => {
      for (const name of words) this.#roster.disconnected(node(name), this.#now());
    },
    open: (words) => this.#open(words),
    rollout: (words) => this.#rollOut(words),
    progress: () => this.#printProgress(),
    ack: ([name = '', said]) => this.#step({ kind: 'ack', node: node(name), phase: phase(said) }),
    result: ([name = '', said]) =>
      this.#step({ kind: 'result', node: node(name), isV1: false, outcome: outcome(said) }),
    'v1-result': ([name = '', said]) =>
      this.#step({
        ...{ kind: 'result', isV1: true, outcome: outcome(said) },
        node: name === '?' ? undefined : node(name),
      }),
    cancel: () => this.#cancel(),
    wait: ([time = '']) => this.#wait(millisecondsOf(time)),
    jump: ([time = '']) => {
      this.#ms += millisecondsOf(time);
      this.#tick();
    },
    restart: ([time = '']) => this.#restart(millisecondsOf(time)),
    ledger: () => this.#printLedger(),
    nodes: () => {
      for (const { node, presence, conflict } of this.#roster.all())
        this.#lines.push(`${node} ${presence}${conflict.length > 0 ? ', in conflict' : ''}`);
    },
  };

  #start(agent: string): void {
    const [name] = partsOf(agent);
    this.#connect(name);
    this.#hello(agent, ['any', name]);
    this.#beating.add(agent);
  }

  #hello(agent: string, topics: readonly string[]): void {
    const [name, boot] = partsOf(agent);
    const hello = Hello.parse({
      ...{ node: name, boot, topics, roles: [], system: 'Linux', release: '6.1', version: '#1 SMP' },
      ...{ machine: 'x86_64', agentVersion: '0.1.0', startedAtMs: 0 },
    });
    this.#onRoster(this.#roster.hello(hello, this.#now()));
  }

  #beat(agent: string): void {
    const [name, boot] = partsOf(agent);
    this.#onRoster(this.#roster.beat(name, boot, this.#now()));
  }

  #connect(name: NodeName): void {
    this.#onRoster(this.#roster.connected(name, this.#now()));
    if (this.#roster.get(name)?.presence === 'alive') this.#presence(name, true);
  }

  #open(words: readonly string[]): void {
    const { window, v1 = 0, withheld = 0 } = optionsOf(words);
    const windowMs = window === undefined ? defaultWindowMs : millisecondsOf(window);
    const aim = {
      ...{ id: this.#nextId(), nodes: this.#aimedAt(words) },
      ...{ anonymous: Number(v1), withheld: Number(withheld), endsAtMs: this.#ms + windowMs },
    };
    this.#begin(this.#requests.add(aim, this.#ms), aim, undefined);
  }

  #rollOut(words: readonly string[]): void {
    const { batch = 1, canary = 0, pause = '0s', window = '60s', ...most } = optionsOf(words);
    const nodes = this.#aimedAt(words);
    const ready = nodes.filter(({ isAlive, isRefused }) => isAlive && !isRefused);
    const order = orderNodes(
      ready.map(({ node }) => node),
      'name',
      0,
    );
    const maxUnreachable = most['max-unreachable'];
    const plan: RolloutPlan = {
      ...{ nodes: order, batch: Number(batch), canary: Number(canary), pauseMs: millisecondsOf(pause) },
      ...{ windowMs: millisecondsOf(window), maxFail: Number(most['max-fail'] ?? 0) },
      maxUnreachable: maxUnreachable === undefined ? undefined : Number(maxUnreachable),
    };
    const aim = { id: this.#nextId(), nodes, anonymous: 0, withheld: 0, endsAtMs: this.#ms };
    this.#begin(this.#requests.addRollout(aim, plan, this.#ms), aim, plan);
  }

  #nextId(): RequestId {
    this.#opened += 1;
    return id(String(this.#opened).padStart(32, '0'));
  }

  #aimedAt([topic = '']: readonly string[]): AimedNode[] {
    return this.#roster.onTopic(topic).map(({ node, presence, conflict }) => {
      return { node, isAlive: presence === 'alive', isRefused: conflict.length > 0 };
    });
  }

  #begin(ledger: Ledger, aim: Aim, plan: RolloutPlan | undefined): void {
    const { endsAtMs } = aim;
    this.#ledger = ledger;
    this.#stored.entries.clear();
    Object.assign(this.#stored, {
      aim,
      plan,
      endsAtMs,
      rollout: undefined,
      isOver: false,
      isCancelled: false,
    });
    for (const entry of ledger.entries()) this.#stored.entries.set(entry.node, entry);
    this.#printLedger();
    this.#step({ kind: 'tick' });
  }

  #step(event: LedgerEvent): void {
    const ledger = this.#ledger;
    if (ledger === undefined) throw new Error('no request was opened');
    this.#onLedger(this.#requests.step(ledger, event, this.#ms));
  }

  #cancel(): void {
    this.#step({ kind: 'cancel' });
    Object.assign(this.#stored, { isCancelled: true, endsAtMs: this.#ledger?.endsAtMs });
  }

  #wait(forMs: number): void {
    const untilMs = this.#ms + forMs;
    while (this.#ms < untilMs) {
      this.#ms += Math.min(tickMs, untilMs - this.#ms);
      if (this.#ms % pulseMs < tickMs) for (const agent of this.#beating) this.#beat(agent);
      this.#tick();
    }
  }

  #tick(): void {
    this.#onRoster(this.#roster.tick(this.#now()));
    this.#onLedger(this.#requests.tick(this.#ms));
  }

  /** All connections break, and nobody listens for so long. */
  #restart(downMs: number): void {
    const { aim, plan, rollout, entries, isOver, isCancelled, endsAtMs } = this.#stored;
    const members: readonly StoredMember[] = this.#roster.all();
    this.#ms += downMs;
    this.#roster = new Roster(bounds);
    this.#requests = new Requests(limits, pauses);
    this.#roster.restore(members, this.#now());
    if (aim === undefined) return;
    if (plan !== undefined) {
      const isThere = (name: NodeName): boolean => this.#roster.get(name)?.presence === 'alive';
      const past = { entries: [...entries.values()], isOver, isCancelled, isThere };
      const restored = { aim: { ...aim, endsAtMs }, plan, state: rollout, ...past };
      this.#ledger = this.#requests.restoreRollout(restored, this.#ms);
      return;
    }
    const ledger = this.#requests.add({ ...aim, nodes: [], endsAtMs }, this.#ms);
    ledger.restore(entries.values(), isOver, isCancelled);
    this.#requests.settle(ledger);
    this.#ledger = ledger;
    if (isOver) return;
    for (const { node } of ledger.entries()) {
      if (this.#roster.get(node)?.presence !== 'alive') this.#step({ kind: 'lost', node });
    }
  }

  #presence(name: NodeName, isAlive: boolean): void {
    this.#onLedger(this.#requests.presence(name, isAlive, this.#ms));
  }

  #onRoster(effects: readonly RosterEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'who') this.#print(`ask ${effect.node} who it is`);
      else if (effect.kind === 'conflict')
        this.#print(`warn ${effect.node}: in conflict ${lettersOf(effect.boots)}`);
      else {
        const { node, presence, facts, conflict } = effect.member;
        const inConflict = conflict.length > 0 ? `, in conflict ${lettersOf(conflict)}` : '';
        this.#print(`${node}/${lettersOf([facts.boot])} ${presence}${inConflict}`);
        this.#presence(node, presence === 'alive');
      }
    }
  }

  #onLedger(effects: readonly RequestEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'publish') this.#print('publish');
      else if (effect.kind === 'ask') this.#print(`ask ${effect.node}`);
      else if (effect.kind === 'cancel') this.#print(`tell ${effect.node} to stop`);
      else if (effect.kind === 'record') {
        this.#stored.entries.set(effect.entry.node, effect.entry);
        this.#print(`record ${wordsOf(effect.entry)}`);
      } else if (effect.kind === 'save') {
        this.#stored.rollout = effect.rollout;
        this.#print(`save ${stateOf(effect.rollout)}`);
      } else {
        this.#stored.isOver = true;
        this.#print(`end: ${this.#counts()}`);
      }
    }
  }

  #printLedger(): void {
    const { anonymous = 0, withheld = 0, anonymousMissing = 0 } = this.#ledger ?? {};
    for (const entry of this.#ledger?.entries() ?? []) this.#lines.push(wordsOf(entry));
    if (anonymous > 0) this.#lines.push(`v1 agents: ${anonymous}, missing: ${anonymousMissing}`);
    if (withheld > 0) this.#lines.push(`v1 agents withheld: ${withheld}`);
    if (this.#ledger?.isOver === true) this.#lines.push(`over: ${this.#counts()}`);
  }

  #printProgress(): void {
    const { aim } = this.#stored;
    const progress = aim === undefined ? undefined : this.#requests.progress(aim.id);
    if (progress !== undefined) this.#lines.push(...progressOf(progress));
  }

  #counts(): string {
    const counts = Object.entries(this.#ledger?.counts() ?? {});
    return counts.map(([outcome, count]) => `${count} ${outcome}`).join(', ') || 'nobody';
  }

  #print(line: string): void {
    this.#lines.push(`${(this.#ms / 1_000).toFixed(1)} s: ${line}`);
  }

  #now() {
    return { ms: this.#ms, wallMs: this.#ms };
  }
}

function optionsOf(words: readonly string[]): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(words.slice(1).map((word) => word.split('=')));
}
