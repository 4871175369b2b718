import type { Clock } from '../../src/platform/clock.ts';
import type { Frames, Socket } from '../../src/platform/sockets.ts';
import { DispatchHeader } from '../../src/wire/dispatch.ts';
import { nodesTopic } from '../../src/wire/topic.ts';
import type { IsLost } from '../fakes/memory-patterns.ts';
import { MemorySocket } from '../fakes/memory-socket.ts';
import { MemorySockets } from '../fakes/memory-sockets.ts';
import type { Program } from './program.ts';

/** One message from program to program. */
export interface Packet {
  readonly from: string;
  readonly to: string;
  /**
   * `ask` and `reply` (frontend); `request`, `cancel`, `stored`, `who`, `pulse`, `conflict` (to agents);
   * `result`, `ack`, `hello`, `beat`, `bye` (from agents); `answer`, `end`, `node` (published).
   */
  readonly kind: string;
  readonly frames: Frames;
  /** Name of the connecting socket: `push-1`. */
  readonly connection: string;
}

export type Match = { readonly [Part in 'from' | 'to' | 'kind']?: string } | ((packet: Packet) => boolean);

/** A rule about what travels, which counts what it met. */
export interface Rule {
  readonly count: number;
  lift(): void;
}

/** What lies between the programs: loses and counts messages as it is told. */
export class Network {
  readonly sockets: MemorySockets;
  readonly #owners = new Map<string, Program>();
  readonly #rules = new Set<(packet: Packet) => boolean>();

  /** Who is refused tries again by this clock. */
  constructor(clock: Clock) {
    const drop = (...sent: Parameters<IsLost>) => this.#isLost(...sent);
    this.sockets = new MemorySockets({ drop, clock });
  }

  attach(socket: Socket, program: Program): void {
    if (socket instanceof MemorySocket) this.#owners.set(socket.name, program);
  }

  /** Whoever waits for this endpoint sends as soon as it is bound. */
  willBind(endpoint: string, program: Program): void {
    this.#owners.set(endpoint.replace('//*:', '//0.0.0.0:'), program);
  }

  /** All that there were so far. */
  connections(): string[] {
    return [...this.#owners.keys()].filter((name) => !name.includes(':'));
  }

  /** Loses what matches, this many times. */
  lose(match: Match, times = Number.POSITIVE_INFINITY): Rule {
    return this.#rule(match, times, true);
  }

  /** Nothing passes between these two any more, each way; their connections stay. */
  cut(one: string, other: string): Rule {
    return this.lose(({ from, to }) => (from === one && to === other) || (from === other && to === one));
  }

  /** Breaks the connections between these two; lifted, they are made again. */
  disconnect(one: string, other: string): { lift(): void } {
    const lift = this.sockets.disconnect((...ends) => {
      const names = ends.map((end) => this.#owners.get(end)?.name);
      return names.includes(one) && names.includes(other);
    });
    return { lift };
  }

  /** Counts what matches; it arrives. */
  count(match: Match): Rule {
    return this.#rule(match, Number.POSITIVE_INFINITY, false);
  }

  #rule(match: Match, times: number, isLosing: boolean): Rule {
    const meets = typeof match === 'function' ? match : matcherOf(match);
    let count = 0;
    const rule = (packet: Packet): boolean => {
      if (count >= times || !meets(packet)) return false;
      count += 1;
      return isLosing;
    };
    this.#rules.add(rule);
    return {
      get count() {
        return count;
      },
      lift: () => this.#rules.delete(rule),
    };
  }

  #isLost(fromSocket: string, toSocket: string, frames: Frames): boolean {
    const [sender, receiver] = [this.#owners.get(fromSocket), this.#owners.get(toSocket)];
    if (sender?.isDead || receiver?.isDead) return true;
    const packet = {
      from: sender?.name ?? fromSocket,
      to: receiver?.name ?? toSocket,
      kind: kindOf(frames),
      frames,
      connection: fromSocket.includes(':') ? toSocket : fromSocket,
    };
    // Every rule sees it, also when the first one loses it.
    return [...this.#rules].filter((rule) => rule(packet)).length > 0;
  }
}

function matcherOf(match: Exclude<Match, (packet: Packet) => boolean>) {
  return (packet: Packet): boolean =>
    (match.from === undefined || match.from === packet.from) &&
    (match.to === undefined || match.to === packet.to) &&
    (match.kind === undefined || match.kind === packet.kind);
}

function kindOf(frames: Frames): string {
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = frames;
  if (frames.length === 6) return first.toString();
  if (frames.length === 4) return DispatchHeader.tryDecode(second)?.type ?? 'unknown';
  if (frames.length === 1) return 'result';
  if (first.byteLength === 0) return /"(cmd|query|signed)"/.test(second.toString()) ? 'ask' : 'reply';
  const topic = first.toString();
  if (topic.startsWith('end/')) return 'end';
  if (topic === nodesTopic) return 'node';
  return /^[0-9a-f]{32}$/.test(topic) ? 'answer' : 'request';
}
