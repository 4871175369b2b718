import { expect } from 'chai';
import { type Presence, Roster, type RosterEffect } from '../../../src/core/roster.ts';
import { message } from '../../../src/wire/codec.ts';
import { NodeName, Topic } from '../../../src/wire/fields.ts';
import { BootId, type Hello } from '../../../src/wire/presence.ts';

export const bounds = { lostAfterMs: 15_000, reconnectGraceMs: 2_000 };
export const names = ['web1', 'web2', 'db1'].map(message('node', 300, NodeName).parse);
export const topics = ['any', 'role:web', 'role:db', 'Linux'].map(message('topic', 1_024, Topic).parse);

export type What =
  | { readonly kind: 'hello'; readonly topics: readonly Topic[] }
  | { readonly kind: 'beat' | 'bye' | 'connect' | 'disconnect' | 'restart' | 'forget' }
  | { readonly kind: 'stray'; readonly message: 'hello' | 'beat' | 'bye' }
  | { readonly kind: 'tick' | 'restore' };

interface NodeModel {
  presence: Presence | 'unknown';
  /** The run of the agent, and the one that said hello last. */
  run: BootId;
  knownRun: BootId | undefined;
  heardMs: number;
  connections: number;
  brokenAtMs: number | undefined;
  /** How often it was heard since; with two of them it has a connection, whatever is said of that. */
  beatsSince: number;
  topics: readonly Topic[];
  /** A run that was alive when its successor said hello, and may have had one message on its way. */
  before: { readonly run: BootId; readonly untilMs: number } | undefined;
}

/** What the rules of the roster say in words, for agents that are each alone on their name. */
export class Fleet {
  #roster = new Roster(bounds);
  readonly #nodes = new Map<NodeName, NodeModel>();
  #ms = 0;
  #runs = 0;

  constructor() {
    for (const name of names) {
      this.#nodes.set(name, {
        ...{ presence: 'unknown', run: boot(this.#runs++), knownRun: undefined, heardMs: 0 },
        ...{ connections: 0, brokenAtMs: undefined, beatsSince: 0, topics: [], before: undefined },
      });
    }
  }

  happen(what: What, name: NodeName, afterMs: number): void {
    this.#ms += afterMs;
    const model = this.#nodes.get(name);
    if (model === undefined) return;
    const effects = this.#apply(what, name, model);
    for (const [each, { presence }] of this.#nodes) {
      same(this.#roster.get(each)?.presence ?? 'unknown', presence, `presence of ${each}`);
      same(this.#roster.get(each)?.conflict.length ?? 0, 0, `conflicts of ${each}`);
    }
    same(
      effects.some(({ kind }) => kind === 'conflict'),
      false,
      'warnings of a conflict',
    );
    this.#compareTopics();
  }

  #apply(what: What, name: NodeName, model: NodeModel): readonly RosterEffect[] {
    const now = this.#now();
    switch (what.kind) {
      case 'hello':
        this.#hello(model, what.topics);
        return this.#roster.hello(helloOf(name, model.run, what.topics), now);
      case 'beat':
        return this.#beat(name, model);
      case 'bye':
        if (model.knownRun === model.run) Object.assign(model, { presence: 'left', heardMs: this.#ms });
        return this.#roster.bye(name, model.run, now);
      case 'connect':
        return this.#connect(name, model);
      case 'disconnect':
        if (model.connections === 0) return [];
        model.connections -= 1;
        if (model.connections === 0 && model.presence !== 'unknown' && model.beatsSince < 2)
          model.brokenAtMs = this.#ms;
        this.#roster.disconnected(name, now);
        return [];
      case 'restart':
        model.run = boot(this.#runs++);
        return [];
      case 'stray':
        return this.#stray(name, model, what.message);
      case 'forget':
        same(this.#roster.forget(name), model.presence !== 'unknown', 'there was such a node');
        Object.assign(model, { presence: 'unknown', knownRun: undefined, brokenAtMs: undefined });
        Object.assign(model, { beatsSince: 0, before: undefined });
        return [];
      case 'restore':
        this.#restore();
        return [];
      case 'tick':
        return this.#tick();
    }
  }

  #hello(model: NodeModel, said: readonly Topic[]): void {
    const isNewRun = model.knownRun !== model.run;
    if (isNewRun && model.knownRun !== undefined && model.presence === 'alive') {
      model.before = { run: model.knownRun, untilMs: model.heardMs + bounds.lostAfterMs };
    } else if (isNewRun) model.before = undefined;
    if (isNewRun) model.brokenAtMs = undefined;
    if (isNewRun || !this.#isDeaf(model)) model.presence = 'alive';
    Object.assign(model, { knownRun: model.run, heardMs: this.#ms, topics: said });
  }

  #beat(name: NodeName, model: NodeModel): readonly RosterEffect[] {
    const isKnown = model.knownRun === model.run;
    const was = model.presence;
    if (isKnown) model.heardMs = this.#ms;
    if (isKnown && model.beatsSince < 2)
      model.beatsSince = model.brokenAtMs === undefined ? 0 : model.beatsSince + 1;
    if (model.beatsSince === 2) model.brokenAtMs = undefined;
    if (isKnown && !this.#isDeaf(model)) model.presence = 'alive';
    const effects = this.#roster.beat(name, model.run, this.#now());
    const expected = isKnown ? (model.presence === was ? [] : ['changed']) : ['who'];
    same(effects.map(({ kind }) => kind).join(), expected.join(), `what a beat of ${name} leads to`);
    return effects;
  }

  #connect(name: NodeName, model: NodeModel): readonly RosterEffect[] {
    model.connections += 1;
    model.brokenAtMs = undefined;
    const isHeard = this.#ms - model.heardMs < bounds.lostAfterMs;
    if (model.presence === 'lost' && isHeard) model.presence = 'alive';
    return this.#roster.connected(name, this.#now());
  }

  /** One message of the run before that was on its way when the present one said hello. */
  #stray(name: NodeName, model: NodeModel, kind: 'hello' | 'beat' | 'bye'): readonly RosterEffect[] {
    const { before } = model;
    if (before === undefined || model.presence !== 'alive' || this.#ms >= before.untilMs) return [];
    model.before = undefined;
    if (kind === 'hello') return this.#roster.hello(helloOf(name, before.run, topics), this.#now());
    return this.#roster[kind](name, before.run, this.#now());
  }

  /** A new run of the manager, whose own clock starts anew: all agents connect anew. */
  #restore(): void {
    const members = this.#roster.all();
    const downMs = 1_000;
    const wallMs = this.#ms + downMs;
    this.#roster = new Roster(bounds);
    this.#roster.restore(members, { ms: wallMs, wallMs });
    this.#ms = wallMs;
    for (const model of this.#nodes.values()) {
      Object.assign(model, { connections: 0, brokenAtMs: undefined, before: undefined });
      model.beatsSince = 0;
      if (model.presence === 'alive') model.heardMs = this.#ms;
    }
  }

  /** A silent node is lost at the first tick at or after the bound and never before, unless its connection broke. */
  #tick(): readonly RosterEffect[] {
    const lost: NodeName[] = [];
    for (const [name, model] of this.#nodes) {
      const isSilent = this.#ms - model.heardMs >= bounds.lostAfterMs;
      if (model.presence !== 'alive' || !(isSilent || this.#isDeaf(model))) continue;
      model.presence = 'lost';
      lost.push(name);
    }
    const effects = this.#roster.tick(this.#now());
    const told = effects.flatMap((effect) => (effect.kind === 'changed' ? [effect.member.node] : []));
    same(told.sort().join(), lost.sort().join(), 'nodes that are lost');
    return effects;
  }

  #isDeaf({ brokenAtMs }: NodeModel): boolean {
    return brokenAtMs !== undefined && this.#ms - brokenAtMs >= bounds.reconnectGraceMs;
  }

  #compareTopics(): void {
    for (const topic of topics) {
      const found = this.#roster.onTopic(topic).map(({ node }) => node);
      const expected = names.filter((name) => {
        const model = this.#nodes.get(name);
        return model?.presence !== 'unknown' && model?.topics.includes(topic);
      });
      same(found.sort().join(), expected.sort().join(), `nodes on ${topic}`);
    }
    const alive = [...this.#nodes.values()].filter(({ presence }) => presence === 'alive');
    same(this.#roster.aliveCount, alive.length, 'alive nodes');
  }

  #now() {
    return { ms: this.#ms, wallMs: this.#ms };
  }
}

export function boot(count: number): BootId {
  return message('boot', 64, BootId).parse(String(count).padStart(32, '0'));
}

export function helloOf(node: NodeName, boot: BootId, topics: readonly Topic[]): Hello {
  return {
    ...{ node, boot, topics: [...topics], roles: [], system: 'Linux', release: '6.1', version: '#1 SMP' },
    ...{ machine: 'x86_64', agentVersion: '0.1.0', startedAtMs: 0 },
  };
}

/** Millions of checks: chai is only asked for the words of the one that fails. */
export function same<Value>(actual: Value, expected: Value, what: string): void {
  if (actual !== expected) expect(actual, what).to.equal(expected);
}
