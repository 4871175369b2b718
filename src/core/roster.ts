import type { NodeName } from '../wire/fields.ts';
import type { BootId, Hello } from '../wire/presence.ts';

export interface RosterBounds {
  /** A node of which nothing was heard for this long is lost. */
  readonly lostAfterMs: number;
  /** A node whose connection broke is lost after this time, if it has not come back. */
  readonly reconnectGraceMs: number;
}

export type Presence = 'alive' | 'lost' | 'left';

/** What is known of one node. Times are of the manager's clocks: `...Ms` never jumps, `...WallMs` is since 1970. */
export interface Member {
  readonly node: NodeName;
  readonly facts: Hello;
  readonly presence: Presence;
  /** When the node was first heard of. */
  readonly sinceWallMs: number;
  readonly lastSeenMs: number;
  readonly lastSeenWallMs: number;
  /** Runs of agents that use this name at the same time; empty when there is one, as there should be. */
  readonly conflict: readonly BootId[];
}

/** What is kept of a member over a restart of the manager. */
export type StoredMember = Pick<Member, 'node' | 'facts' | 'presence' | 'sinceWallMs' | 'lastSeenWallMs'>;

export type RosterEffect =
  /** To be stored and told to who watches. */
  | { readonly kind: 'changed'; readonly member: Member }
  /** Ask the node who it is. */
  | { readonly kind: 'who'; readonly node: NodeName }
  /** Tell all agents of this name that they are not served. `boots`: the first of them, when there are many. */
  | { readonly kind: 'conflict'; readonly node: NodeName; readonly boots: readonly BootId[] };

interface Entry {
  member: Member;
  connections: number;
  /** When the last connection broke; undefined while there is one, or none was ever seen. */
  disconnectedAtMs: number | undefined;
  /** Beats since its last connection broke. With too many of them the count of connections is not to be trusted any more. */
  beatsWithout: number;
  /** Other runs of an agent of this name that were heard of since the current one said hello. */
  readonly others: Map<BootId, { count: number; lastSeenMs: number }>;
}

/** The current time in both clocks. */
export interface Now {
  readonly ms: number;
  readonly wallMs: number;
}

// One message of an earlier run may still have been on its way when the new run said hello; two were not.
const conflictingMessages = 2;
// An agent beats only when it has heard a pulse. One beat may have been on its way when its connection broke; two were not.
const mostBeatsWithout = 1;
// A warning goes to each of them for each of their beats, so it must stay small however many they are.
const maxBootsInWarning = 10;

/** The set of known nodes and their presence. It touches nothing: events and the time go in, effects come out. */
export class Roster {
  readonly #bounds: RosterBounds;
  readonly #entries = new Map<NodeName, Entry>();
  readonly #byTopic = new Map<string, Set<NodeName>>();
  /** Connections of nodes that have not said hello yet. */
  readonly #strangers = new Map<NodeName, number>();

  constructor(bounds: RosterBounds) {
    this.#bounds = bounds;
  }

  /** Members of an earlier run of the manager. Those that were alive have the usual time to show up again. */
  restore(members: Iterable<StoredMember>, now: Now): void {
    for (const stored of members) {
      this.#put({
        ...stored,
        lastSeenMs: now.ms - Math.max(0, now.wallMs - stored.lastSeenWallMs),
        conflict: [],
      });
      const entry = this.#entries.get(stored.node);
      if (entry !== undefined && stored.presence === 'alive')
        entry.member = { ...entry.member, lastSeenMs: now.ms };
    }
  }

  hello(hello: Hello, now: Now): RosterEffect[] {
    const known = this.#entries.get(hello.node);
    // It is no successor: that is a stray message of the run before, or two agents are at work.
    if (known?.member.presence === 'alive' && known.others.has(hello.boot))
      return this.#beatOfOther(known, hello.boot, now);
    if (known !== undefined && known.member.facts.boot !== hello.boot) this.#succeed(known, hello.boot);
    const isDeaf = known !== undefined && this.#isDeaf(known, now);
    this.#put({
      node: hello.node,
      facts: hello,
      presence: isDeaf ? known.member.presence : 'alive',
      sinceWallMs: known?.member.sinceWallMs ?? now.wallMs,
      lastSeenMs: now.ms,
      lastSeenWallMs: now.wallMs,
      conflict: known?.member.conflict ?? [],
    });
    return this.#changed(hello.node);
  }

  beat(node: NodeName, boot: BootId, now: Now): RosterEffect[] {
    const entry = this.#entries.get(node);
    if (entry === undefined) return [{ kind: 'who', node }];
    if (entry.member.facts.boot !== boot) return this.#beatOfOther(entry, boot, now);
    const wasAlive = entry.member.presence === 'alive';
    entry.member = { ...entry.member, lastSeenMs: now.ms, lastSeenWallMs: now.wallMs };
    this.#recount(entry);
    if (this.#isDeaf(entry, now)) return [];
    entry.member = { ...entry.member, presence: 'alive' };
    return [...(wasAlive ? [] : this.#changed(node)), ...this.#warning(entry)];
  }

  bye(node: NodeName, boot: BootId, now: Now): RosterEffect[] {
    const entry = this.#entries.get(node);
    if (entry === undefined) return [];
    if (entry.member.facts.boot !== boot) {
      entry.others.delete(boot);
      return this.#settleConflict(entry, now);
    }
    entry.member = { ...entry.member, presence: 'left', lastSeenMs: now.ms, lastSeenWallMs: now.wallMs };
    return this.#changed(node);
  }

  /** The node's address was subscribed to: it can be reached. */
  connected(node: NodeName, now: Now): RosterEffect[] {
    const entry = this.#entries.get(node);
    if (entry === undefined) {
      this.#strangers.set(node, (this.#strangers.get(node) ?? 0) + 1);
      return [];
    }
    entry.connections += 1;
    entry.disconnectedAtMs = undefined;
    const isHeard = now.ms - entry.member.lastSeenMs < this.#bounds.lostAfterMs;
    if (entry.member.presence !== 'lost' || !isHeard) return [];
    entry.member = { ...entry.member, presence: 'alive' };
    return this.#changed(node);
  }

  disconnected(node: NodeName, now: Now): void {
    const entry = this.#entries.get(node);
    if (entry === undefined) {
      const left = (this.#strangers.get(node) ?? 1) - 1;
      if (left > 0) this.#strangers.set(node, left);
      else this.#strangers.delete(node);
      return;
    }
    entry.connections = Math.max(0, entry.connections - 1);
    if (entry.connections === 0 && !isMiscounted(entry)) entry.disconnectedAtMs = now.ms;
  }

  tick(now: Now): RosterEffect[] {
    const effects: RosterEffect[] = [];
    for (const entry of this.#entries.values()) {
      effects.push(...this.#settleConflict(entry, now));
      const isSilent = now.ms - entry.member.lastSeenMs >= this.#bounds.lostAfterMs;
      if (entry.member.presence !== 'alive' || !(isSilent || this.#isDeaf(entry, now))) continue;
      entry.member = { ...entry.member, presence: 'lost' };
      effects.push(...this.#changed(entry.member.node));
    }
    return effects;
  }

  /** True when there was such a node. */
  forget(node: NodeName): boolean {
    const entry = this.#entries.get(node);
    if (entry === undefined) return false;
    this.#unlistTopics(entry.member);
    if (entry.connections > 0) this.#strangers.set(node, entry.connections);
    return this.#entries.delete(node);
  }

  get(node: string): Member | undefined {
    return this.#entries.get(node as NodeName)?.member;
  }

  /** All nodes that a request on this topic is aimed at, whether they are alive or not. */
  onTopic(topic: string): Member[] {
    return [...(this.#byTopic.get(topic) ?? [])].flatMap((node) => this.get(node) ?? []);
  }

  all(): Member[] {
    return [...this.#entries.values()].map(({ member }) => member);
  }

  get aliveCount(): number {
    let count = 0;
    for (const { member } of this.#entries.values()) if (member.presence === 'alive') count += 1;
    return count;
  }

  #put(member: Member): void {
    const known = this.#entries.get(member.node);
    if (known !== undefined) this.#unlistTopics(known.member);
    const connections = known?.connections ?? this.#strangers.get(member.node) ?? 0;
    this.#strangers.delete(member.node);
    const disconnectedAtMs = connections > 0 ? undefined : known?.disconnectedAtMs;
    this.#entries.set(member.node, {
      member,
      connections,
      disconnectedAtMs,
      beatsWithout: known?.beatsWithout ?? 0,
      others: known?.others ?? new Map(),
    });
    for (const topic of member.facts.topics) {
      const nodes = this.#byTopic.get(topic) ?? new Set();
      this.#byTopic.set(topic, nodes.add(member.node));
    }
  }

  #unlistTopics({ node, facts }: Member): void {
    for (const topic of facts.topics) {
      const nodes = this.#byTopic.get(topic);
      nodes?.delete(node);
      if (nodes?.size === 0) this.#byTopic.delete(topic);
    }
  }

  /** A new run takes the name over. */
  #succeed(entry: Entry, boot: BootId): void {
    const { presence, facts, lastSeenMs } = entry.member;
    entry.others.delete(boot);
    if (presence === 'alive') entry.others.set(facts.boot, { count: 0, lastSeenMs });
    // It has a new connection, which may be noticed a little later than its hello.
    entry.disconnectedAtMs = undefined;
  }

  #beatOfOther(entry: Entry, boot: BootId, now: Now): RosterEffect[] {
    const other = entry.others.get(boot);
    // A run that we have not heard of, or the one that remains.
    if (other === undefined || entry.member.presence !== 'alive')
      return [{ kind: 'who', node: entry.member.node }];
    other.count += 1;
    other.lastSeenMs = now.ms;
    return [...this.#settleConflict(entry, now), ...this.#warning(entry)];
  }

  #warning({ member }: Entry): RosterEffect[] {
    return member.conflict.length === 0
      ? []
      : [{ kind: 'conflict', node: member.node, boots: member.conflict.slice(0, maxBootsInWarning) }];
  }

  #settleConflict(entry: Entry, now: Now): RosterEffect[] {
    if (entry.others.size === 0 && entry.member.conflict.length === 0) return [];
    const boots: BootId[] = [];
    for (const [boot, { count, lastSeenMs }] of entry.others) {
      if (now.ms - lastSeenMs >= this.#bounds.lostAfterMs) entry.others.delete(boot);
      else if (count >= conflictingMessages) boots.push(boot);
    }
    const conflict = boots.length === 0 ? [] : [entry.member.facts.boot, ...boots];
    if (conflict.join() === entry.member.conflict.join()) return [];
    entry.member = { ...entry.member, conflict };
    return this.#changed(entry.member.node);
  }

  /**
   * ZeroMQ does not say whose subscription has ended, nor whether there was one: any agent may end those of others. Of a node
   * that hears all the same only silence counts from then on.
   */
  #recount(entry: Entry): void {
    if (isMiscounted(entry)) return;
    entry.beatsWithout = entry.disconnectedAtMs === undefined ? 0 : entry.beatsWithout + 1;
    if (isMiscounted(entry)) entry.disconnectedAtMs = undefined;
  }

  /** Nothing that is sent to it arrives, whatever it says. */
  #isDeaf({ disconnectedAtMs }: Entry, now: Now): boolean {
    return disconnectedAtMs !== undefined && now.ms - disconnectedAtMs >= this.#bounds.reconnectGraceMs;
  }

  #changed(node: NodeName): RosterEffect[] {
    const member = this.get(node);
    return member === undefined ? [] : [{ kind: 'changed', member }];
  }
}

function isMiscounted({ beatsWithout }: Entry): boolean {
  return beatsWithout > mostBeatsWithout;
}
