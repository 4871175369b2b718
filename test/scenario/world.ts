import type { Aim, Ledger, LedgerEffect, LedgerEvent, StoredEntry } from '../../src/core/ledger.ts';
import { Requests } from '../../src/core/requests.ts';
import { Roster, type RosterEffect, type StoredMember } from '../../src/core/roster.ts';
import { message } from '../../src/wire/codec.ts';
import { NodeName, oneOf, RequestId } from '../../src/wire/fields.ts';
import { outcomes } from '../../src/wire/outcome.ts';
import { Hello } from '../../src/wire/presence.ts';
import { lettersOf, millisecondsOf, partsOf, wordsOf } from './words.ts';

const node = message('node', 300, NodeName).parse;
const outcome = message('outcome', 64, oneOf(outcomes)).parse;
const phase = message('phase', 64, oneOf(['queued', 'running'])).parse;
const id = message('id', 64, RequestId).parse;

// As src/manager/ has them; the draw of 0.5 makes each pause exactly what it is called.
const bounds = { lostAfterMs: 15_000, reconnectGraceMs: 2_000 };
const pauses = { firstPauseMs: 1_000, longestPauseMs: 10_000, cancelGraceMs: 10_000, jitter: () => 0.5 };
const limits = { maxOpen: 10, maxEnded: 10 };
const tickMs = 100;
const pulseMs = 5_000;
const defaultWindowMs = 60_000;

/** What the store has of the request: the next run of the manager knows it. */
interface Stored {
  aim: Aim | undefined;
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
    ...{ aim: undefined, entries: new Map(), isOver: false, isCancelled: false, endsAtMs: 0 },
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
    const [topic = ''] = words;
    const options = Object.fromEntries(words.slice(1).map((word) => word.split('=')));
    const nodes = this.#roster.onTopic(topic).map(({ node, presence, conflict }) => {
      return { node, isAlive: presence === 'alive', isConflicted: conflict.length > 0 };
    });
    const windowMs = options['window'] === undefined ? defaultWindowMs : millisecondsOf(options['window']);
    const { v1 = 0, withheld = 0 } = options;
    const endsAtMs = this.#ms + windowMs;
    this.#opened += 1;
    const aim = {
      id: id(String(this.#opened).padStart(32, '0')),
      nodes,
      anonymous: Number(v1),
      withheld: Number(withheld),
      endsAtMs,
    };
    const ledger = this.#requests.add(aim, this.#ms);
    this.#ledger = ledger;
    this.#stored.entries.clear();
    Object.assign(this.#stored, { aim, endsAtMs, isOver: false, isCancelled: false });
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
    const { aim, entries, isOver, isCancelled, endsAtMs } = this.#stored;
    const members: readonly StoredMember[] = this.#roster.all();
    this.#ms += downMs;
    this.#roster = new Roster(bounds);
    this.#requests = new Requests(limits, pauses);
    this.#roster.restore(members, this.#now());
    if (aim === undefined) return;
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

  #onLedger(effects: readonly LedgerEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'publish') this.#print('publish');
      else if (effect.kind === 'ask') this.#print(`ask ${effect.node}`);
      else if (effect.kind === 'cancel') this.#print(`tell ${effect.node} to stop`);
      else if (effect.kind === 'record') {
        this.#stored.entries.set(effect.entry.node, effect.entry);
        this.#print(`record ${wordsOf(effect.entry)}`);
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
