import { RateLimit } from '../core/rate-limit.ts';
import { Roster, type RosterEffect } from '../core/roster.ts';
import type { Reach } from '../core/subscriptions.ts';
import { Subscriptions } from '../core/subscriptions.ts';
import { TokenBuckets } from '../core/token-bucket.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { ClockOffsets } from '../security/clock-offsets.ts';
import type { Store } from '../store/store.ts';
import { isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import type { NodeName } from '../wire/fields.ts';
import type { Hello } from '../wire/presence.ts';
import type { SinkMessage } from '../wire/sink.ts';
import { everyAgent, type Subscription } from '../wire/topic.ts';
import type { Dispatcher } from './dispatch.ts';
import { nodeInfoOf } from './node-info.ts';
import type { Publisher } from './publisher.ts';
import type { Recorder } from './recorder.ts';

export interface PresenceDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly recorder: Recorder;
  readonly dispatcher: Dispatcher;
  readonly publisher: Publisher;
  /** A node came back or was lost. */
  readonly onPresence: (node: NodeName, isAlive: boolean) => void;
  /** The key that the manager is going to have instead of its own; undefined while there is none. */
  readonly nextKey: () => string | undefined;
  /** Topics that all agents together may listen to; undefined: as many as there is room for. */
  readonly maxTopics?: (() => number) | undefined;
}

const bounds = { lostAfterMs: 15_000, reconnectGraceMs: 2_000 };
const pulseMs = 5_000;
// After a start the agents come back at different moments: whoever is there should not wait for the next full pulse.
const firstPulses = { untilMs: 15_000, everyMs: 1_000 };
const saveLastSeenMs = 60_000;
const whoIntervalMs = 1_000;
const maxStrangers = 100_000;
// Each is logged, stored and published: of each node so many, of either kind.
const rateOfChanges = { perSecond: 1, burst: 20, maxKeys: maxStrangers };

type PresenceMessage = Extract<SinkMessage, { type: 'hello' | 'beat' | 'bye' }>;

/** Knows which nodes there are: from what they subscribe to and what they say of themselves. */
export class PresenceDesk {
  readonly #deps: PresenceDeps;
  readonly roster = new Roster(bounds);
  readonly subscriptions: Subscriptions;
  /** Of the clocks of the nodes from ours. */
  readonly offsets = new ClockOffsets(maxStrangers);
  readonly #asked = new RateLimit(whoIntervalMs, maxStrangers);
  readonly #changes = new TokenBuckets(rateOfChanges);
  /** Nodes that have said hello too often: what there is to say of them now is not known. */
  readonly #unheard = new Set<NodeName>();
  readonly #startedMs: number;
  #nextPulseMs = 0;
  #nextSaveMs = 0;

  constructor(deps: PresenceDeps) {
    this.#deps = deps;
    this.subscriptions = new Subscriptions(deps.maxTopics);
    this.#startedMs = deps.clock.now();
    this.#nextSaveMs = this.#startedMs + saveLastSeenMs;
    this.roster.restore(deps.store.members(), this.#now());
  }

  /** Connected agents of both kinds. */
  get agentCount(): number {
    return this.roster.aliveCount + this.subscriptions.count('v1', 'any');
  }

  reach(topic: string): Reach {
    return this.subscriptions.reach(topic);
  }

  /** False when it is to one topic too many. */
  subscription(subscription: Subscription): boolean {
    if (!this.subscriptions.apply(subscription)) return false;
    if (subscription.version === 'address' && subscription.topic !== everyAgent)
      this.#connection(subscription.topic as string as NodeName, subscription.isSubscribed);
    return true;
  }

  #connection(node: NodeName, isMade: boolean): void {
    if (!isMade) return this.roster.disconnected(node, this.#now());
    this.#carryOut(this.roster.connected(node, this.#now()));
    const presence = this.roster.get(node)?.presence;
    // What was sent to it while it was not connected is gone: open requests ask it again.
    if (presence === 'alive') this.#deps.onPresence(node, true);
    // Waiting for its answer to the next pulse would keep it lost for up to a heartbeat longer.
    else if (presence === 'lost') this.#who(node);
  }

  /** Throws TOO_BUSY for a node that comes or goes too often. */
  message(message: PresenceMessage): void {
    if (message.type === 'hello') return this.#hello(message.hello);
    const { type, node, boot } = message;
    if (type === 'bye') this.#refuseTooMany('bye', node);
    else if (message.sentAtMs !== undefined) this.#noteClock(node, message.sentAtMs);
    this.#carryOut(this.roster[type](node, boot, this.#now()));
    if (type === 'beat' && this.#unheard.has(node)) this.#who(node);
  }

  tick(): void {
    const now = this.#now();
    this.#carryOut(this.roster.tick(now));
    if (now.ms >= this.#nextPulseMs) this.#pulse(now.ms);
    if (now.ms >= this.#nextSaveMs) this.#saveLastSeen(now.ms);
  }

  /** True when there was such a node. */
  forget(node: NodeName): boolean {
    this.#deps.recorder.flush();
    this.#deps.store.forgetMember(node);
    this.offsets.forget(node);
    this.#unheard.delete(node);
    return this.roster.forget(node);
  }

  close(): void {
    this.#saveLastSeen(this.#deps.clock.now());
  }

  #hello(hello: Hello): void {
    this.#unheard.add(hello.node);
    this.#refuseTooMany('hello', hello.node);
    this.#unheard.delete(hello.node);
    this.#carryOut(this.roster.hello(hello, this.#now()));
  }

  #refuseTooMany(type: 'hello' | 'bye', node: NodeName): void {
    if (this.#changes.take(`${type} ${node}`, this.#deps.clock.now())) return;
    throw new ServiceManagerError('TOO_BUSY', `${node} says ${type} too often`);
  }

  #pulse(now: number): void {
    const isStarting = now - this.#startedMs < firstPulses.untilMs;
    this.#nextPulseMs = now + (isStarting ? firstPulses.everyMs : pulseMs);
    this.#deps.dispatcher.pulse(this.#deps.nextKey());
  }

  #noteClock(node: NodeName, sentAtMs: number): void {
    const report = this.offsets.note(node, sentAtMs, this.#deps.clock.wallMs());
    if (report === undefined) return;
    const clockOffsetMs = Math.round(this.offsets.offsetOf(node) ?? 0);
    this.#deps.log.warn('node.clock_skew', { node, clockOffsetMs, report });
  }

  #saveLastSeen(now: number): void {
    this.#nextSaveMs = now + saveLastSeenMs;
    try {
      this.#deps.store.saveLastSeen(this.roster.all().filter(({ presence }) => presence === 'alive'));
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      this.#deps.log.error('store.failed', { error });
    }
  }

  #carryOut(effects: readonly RosterEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'changed') this.#changed(effect);
      else if (effect.kind === 'who') this.#who(effect.node);
      else this.#deps.dispatcher.control(effect.node, { type: 'conflict', boots: effect.boots });
    }
  }

  #changed({ member }: Extract<RosterEffect, { kind: 'changed' }>): void {
    const { node, presence, conflict, facts } = member;
    const isConflicted = conflict.length > 0;
    const level = isConflicted || presence === 'lost' ? 'warn' : 'info';
    this.#deps.log[level]('node.changed', { node, presence, conflict, system: facts.system });
    this.#deps.recorder.member(member);
    this.#deps.publisher.nodeChanged(nodeInfoOf(member, this.#deps.clock.now(), this.offsets.offsetOf(node)));
    this.#deps.onPresence(node, presence === 'alive');
  }

  #who(node: NodeName): void {
    if (this.#asked.pass(node, this.#deps.clock.now()) === undefined) return;
    this.#deps.dispatcher.control(node, { type: 'who' });
  }

  #now() {
    return { ms: this.#deps.clock.now(), wallMs: this.#deps.clock.wallMs() };
  }
}
