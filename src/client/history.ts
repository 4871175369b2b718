import type { Outcome } from '../core/outcome.ts';
import {
  AnswersReply,
  ForgetReply,
  NodeChange,
  type NodeInfo,
  NodesReply,
  RequestReply,
  RequestsReply,
} from '../wire/query.ts';
import { Answer, isServiceAnswer, withTextOutput } from '../wire/result.ts';
import { nodesTopic } from '../wire/topic.ts';
import { type AskDeps, type AskOptions, ask, type Question, type Replied } from './ask.ts';
import { Collection } from './collection.ts';
import { endOf } from './end-of.ts';
import { Mailbox } from './mailbox.ts';
import { watchForMissed } from './missed-answers.ts';
import { PendingRequest } from './pending-request.ts';
import type { RequestHistory } from './request-history.ts';
import { watchRollout } from './rollout-watch.ts';
import { patienceOf, queryFrame } from './take.ts';

/** Which requests to list: all conditions hold. */
export interface RequestConditions {
  /** Milliseconds since 1970. */
  readonly sinceMs?: number;
  readonly node?: string;
  readonly service?: string;
  /** With at least one node in this outcome. */
  readonly outcome?: Outcome;
  readonly limit?: number;
}

const oneDayMs = 86_400_000;

/** Questions to a manager about nodes and requests. Every call rejects as `ask` does. */
export class History implements RequestHistory {
  readonly #options: AskOptions;
  readonly #deps: AskDeps;

  constructor(options: AskOptions, deps: AskDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  async nodes(topic?: string): Promise<NodesReply> {
    return (await this.#ask({ query: 'nodes', topic }, NodesReply)).reply;
  }

  /** The known nodes as they are now, then each one that changes, until `signal` is aborted. */
  async *watchNodes(topic: string | undefined, signal: AbortSignal): AsyncGenerator<NodeInfo, void, void> {
    const { connections } = this.#deps;
    const { endpoint, reply } = await this.#ask({ query: 'nodes', topic }, NodesReply);
    const mailbox = new Mailbox<NodeInfo>();
    const close = (): void => mailbox.close();
    const stop = connections
      .feed(connections.publisherOf(endpoint, reply.port))
      .listen(nodesTopic, (payload) => {
        const node = NodeChange.tryDecode(payload);
        if (node !== undefined && (topic === undefined || node.topics.includes(topic))) mailbox.put(node);
      });
    signal.addEventListener('abort', close, { once: true });
    if (signal.aborted) close();
    try {
      // Asked again, because a node may have changed before the subscription.
      yield* (await this.nodes(topic)).nodes;
      yield* mailbox.items();
    } finally {
      stop();
      signal.removeEventListener('abort', close);
    }
  }

  /** Forgets a node that will not come back. If it does, it is known again. */
  async forget(node: string): Promise<void> {
    await this.#ask({ query: 'forget', node }, ForgetReply);
  }

  /** Newest first. */
  async list(conditions: RequestConditions): Promise<RequestsReply['requests']> {
    return (await this.#ask({ query: 'requests', ...conditions }, RequestsReply)).reply.requests;
  }

  async show(id: string): Promise<RequestReply> {
    return (await this.#ask({ query: 'request', id }, RequestReply)).reply;
  }

  /** All answers to a request that are there now, by node name. */
  async answers(id: string): Promise<Answer[]> {
    const answers: Answer[] = [];
    let node: string | undefined;
    do {
      const { reply } = await this.#ask({ query: 'answers', id, node }, AnswersReply);
      answers.push(...reply.answers.flatMap((text) => readAnswer(text)));
      node = reply.nextNode;
    } while (node !== undefined);
    return answers;
  }

  /** The answers so far, then those to come, until the request is over. */
  async attach(id: string, signal?: AbortSignal): Promise<PendingRequest> {
    const { connections, clock } = this.#deps;
    const { endpoint, reply } = await this.#ask({ query: 'request', id }, RequestReply);
    const { request, progress, unreachable, unnamed, port } = reply;
    const nodes = progress.filter(({ outcome }) => outcome !== 'unreachable').map(({ node }) => node);
    const accepted = {
      uuid: request.id,
      port,
      v: 2,
      nodes,
      unreachable,
      expected: nodes.length + unnamed,
      withheld: request.withheld,
    };
    const deadlineMs = clock.now() + oneDayMs;
    const isRollout = request.rollout !== undefined;
    const options = { id: request.id, isRollout, deadlineMs, signal, connections, clock };
    const collection = new Collection(options);
    const pending = new PendingRequest({ endpoint, reply: accepted }, collection, connections);
    if (request.rollout !== undefined) {
      collection.advance(request.rollout);
      watchRollout(endpoint, collection, this.at(endpoint), this.#deps);
    } else watchForMissed(collection, () => this.at(endpoint), this.#deps);
    try {
      await this.#catchUp(pending);
      return pending;
    } catch (error) {
      pending.stop();
      throw error;
    }
  }

  /** Asks this manager alone, and once. */
  at(endpoint: string): History {
    return new History({ ...this.#options, endpoints: [endpoint], retries: 1 }, this.#deps);
  }

  async cancel(id: string): Promise<RequestReply> {
    return (await this.#ask({ query: 'cancel', id }, RequestReply)).reply;
  }

  async #catchUp(pending: PendingRequest): Promise<void> {
    pending.add(await this.answers(pending.id));
    // It may have ended before the subscription was there.
    const now = await this.show(pending.id);
    if (now.request.endedMs !== undefined) pending.finish(endOf(now));
  }

  /** The fields are checked here as the manager will check them: bad ones reject with INVALID_MESSAGE. */
  async #ask<Reply>(
    fields: Record<string, unknown>,
    reply: Question<Reply>['reply'],
  ): Promise<Replied<Reply>> {
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
    const patience = patienceOf(this.#options, this.#deps.clock);
    const frame = () => queryFrame(given, patience, this.#deps);
    return ask({ frame, reply, ...patience }, this.#options, this.#deps);
  }
}

function readAnswer(text: string): Answer[] {
  const answer = Answer.tryDecode(Buffer.from(text));
  if (answer === undefined) return [];
  return [isServiceAnswer(answer) ? withTextOutput(answer) : answer];
}
