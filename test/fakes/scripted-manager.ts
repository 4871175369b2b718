import type { ClientDeps } from '../../src/client/index.ts';
import type { BindOptions, Socket } from '../../src/platform/sockets.ts';
import { type CurveKeys, curveBytes } from '../../src/security/keys.ts';
import type { RequestEnd } from '../../src/wire/end.ts';
import type { RequestId } from '../../src/wire/fields.ts';
import type { NodeInfo, Query, RequestInfo } from '../../src/wire/query.ts';
import type { Accepted } from '../../src/wire/reply.ts';
import { RequestBody } from '../../src/wire/request.ts';
import type { Answer } from '../../src/wire/result.ts';
import { ManualClock } from './manual-clock.ts';
import { MemorySockets } from './memory-sockets.ts';

/** The id of every request that is sent in a test, and of the answers in answers.ts. */
export const requestId = '0123456789abcdef0123456789abcdef' as RequestId;

/** The token of every plan that is not scripted. */
export const planToken = '0123456789abcdef';

export interface Script {
  /** Beside `uuid`, `port`, and `v` 2. */
  readonly accepted?: Partial<Accepted>;
  /** The whole reply to a request, in place of `accepted`. */
  readonly reply?: object;
  /** Published when somebody listens to the request. */
  readonly answers?: readonly Answer[];
  /** Published behind the answers; without it the request does not end. */
  readonly end?: Partial<RequestEnd>;
  /**
   * Replies to questions, without `success` and `port`; a list is used up in turn, its last one for ever. Without one for
   * `plan` it says what `accepted` says; a `reply` without `v` is that of a v1 manager, which does not know plans.
   */
  readonly queries?: Partial<Record<Query['query'], object | readonly object[]>>;
}

const port = 5_750;

/** Plays a manager on memory sockets by a script, and keeps what it was asked. */
export class ScriptedManager {
  readonly clock: ManualClock;
  readonly deps: ClientDeps;
  /** Bodies of the requests that came. */
  readonly requests: RequestBody[] = [];
  readonly queries: Query[] = [];
  /** Signatures of both, in the order in which they came. */
  readonly signatures: string[] = [];
  /** Takes nothing and answers nothing on its frontend. */
  isSilent = false;
  /** Takes no request, but answers questions. */
  isSilentToRequests = false;
  readonly #sockets: MemorySockets;
  readonly #own: CurveKeys | undefined;
  readonly #script: Script;
  #publisher: Socket | undefined;

  /** `own`: its keys, where it has security; then it lets in whoever knows it. */
  constructor(script: Script = {}, startMs = 0, own?: CurveKeys) {
    this.#script = script;
    this.#own = own;
    this.clock = new ManualClock(startMs);
    this.#sockets = new MemorySockets({ clock: this.clock });
    this.#sockets.authenticate(() => true);
    this.deps = { sockets: this.#sockets, clock: this.clock, newId: () => requestId };
  }

  async start(): Promise<this> {
    const frontend = await this.#sockets.bindRouter('tcp://127.0.0.1:5500', this.#secured('frontend'));
    const publisher = await this.#sockets.bindPublisher(
      `tcp://127.0.0.1:${port}`,
      this.#secured('publisher'),
    );
    this.#publisher = publisher;
    void this.#serveFrontend(frontend);
    void this.#servePublisher(publisher);
    return this;
  }

  publish(topic: string, message: object): void {
    this.#publisher?.send([Buffer.from(topic), Buffer.from(JSON.stringify(message))]);
  }

  close(): Promise<void> {
    return this.#sockets.close();
  }

  async #serveFrontend(frontend: Socket): Promise<void> {
    for await (const [peer, delimiter, frame] of frontend) {
      if (peer === undefined || delimiter === undefined || frame === undefined || this.isSilent) continue;
      const reply = this.#replyTo(this.#opened(frame));
      if (reply !== undefined) frontend.send([peer, delimiter, Buffer.from(JSON.stringify(reply))]);
    }
  }

  async #servePublisher(publisher: Socket): Promise<void> {
    const { answers = [], end } = this.#script;
    for await (const [frame] of publisher) {
      if (frame?.toString() !== `\u0001${requestId}`) continue;
      for (const answer of answers) this.publish(requestId, answer);
      if (end === undefined) continue;
      const whole = { uuid: requestId, outcomes: [], unnamed: 0, withheld: 0, isCancelled: false, ...end };
      this.publish(`end/${requestId}`, whole);
    }
  }

  #secured(domain: string): BindOptions {
    if (this.#own === undefined) return {};
    const { publicKey, secretKey } = this.#own;
    const pair = { publicKey: curveBytes(publicKey), secretKey: curveBytes(secretKey) };
    return { security: { kind: 'server', domain, ...pair } };
  }

  #opened(frame: Buffer) {
    const message = JSON.parse(frame.toString());
    if (typeof message.signature === 'string') this.signatures.push(message.signature);
    return 'signed' in message ? JSON.parse(message.signed) : message;
  }

  #replyTo(message: { body?: string; query?: Query['query'] } & Partial<Query>): object | undefined {
    const { query } = message;
    if (query !== undefined) return this.#replyToQuery(query, { ...message, v: 2, query });
    if (this.isSilentToRequests) return undefined;
    this.requests.push(RequestBody.decode(Buffer.from(message.body ?? '')));
    return this.#script.reply ?? { uuid: requestId, port, v: 2, ...this.#script.accepted };
  }

  #replyToQuery(name: Query['query'], query: Query): object | undefined {
    this.queries.push(query);
    const scripted = this.#script.queries?.[name] ?? (name === 'plan' ? this.#plan() : undefined);
    const count = this.queries.filter((other) => other.query === name).length;
    const reply = Array.isArray(scripted) ? (scripted[count - 1] ?? scripted.at(-1)) : scripted;
    return reply === undefined ? undefined : { success: 0, port, ...reply };
  }

  #plan(): object {
    const { reply, accepted: { nodes = [], unreachable = [], expected = nodes.length, withheld = 0 } = {} } =
      this.#script;
    if (reply !== undefined && !('v' in reply)) return { success: -1, msg: 'Missing or wrong field' };
    return { plan: planToken, nodes, absent: unreachable, unnamed: expected - nodes.length, withheld };
  }
}

/** A node that is well, with what a test wants different. */
export function nodeInfo(node: string, changes: Readonly<Record<string, unknown>> = {}): NodeInfo {
  const wallMs = Date.UTC(2026, 0, 1);
  return {
    node,
    presence: 'alive',
    conflictingAgents: 0,
    system: 'Linux',
    release: '6.1.0',
    version: '#1 SMP',
    machine: 'x86_64',
    os: 'debian',
    osVersion: '12',
    roles: ['web'],
    topics: ['any', node],
    agentVersion: '0.1.0',
    agentStartedMs: wallMs - 7_200_000,
    sinceMs: wallMs - 86_400_000,
    lastSeenMs: wallMs - 2_000,
    lastSeenAgoMs: 2_000,
    ...changes,
  } as NodeInfo;
}

/** A request that is over, opened three minutes before the manual clock starts, with what a test wants different. */
export function requestInfo(changes: Readonly<Record<string, unknown>> = {}): RequestInfo {
  const openedMs = Date.UTC(2026, 0, 1) - 180_000;
  return {
    id: requestId,
    action: 'restart',
    topic: 'role:web',
    service: 'nginx',
    openedMs,
    endedMs: openedMs + 4_000,
    endsMs: openedMs + 5_000,
    isCancelled: false,
    withheld: 0,
    counts: { ok: 1 },
    ...changes,
  } as RequestInfo;
}
