import type { Ledger } from '../core/ledger.ts';
import { inNaturalOrder } from '../core/natural-order.ts';
import { batchSizes } from '../core/rollout-batches.ts';
import type { Clock } from '../platform/clock.ts';
import type { RequestOverview, Store, StoredRequest } from '../store/store.ts';
import type { Signed } from '../wire/dispatch.ts';
import { ServiceManagerError } from '../wire/errors.ts';
import type { ActionName, RequestId, ServiceName } from '../wire/fields.ts';
import type {
  AnswersReply,
  CheckedQuery,
  ForgetReply,
  NodesReply,
  PlanReply,
  Query,
  RequestInfo,
  RequestReply,
  RequestsReply,
} from '../wire/query.ts';
import { RequestBody } from '../wire/request.ts';
import { aimAt } from './aim.ts';
import { permissionsOf } from './intake.ts';
import { keptInfoOf } from './kept-rollout.ts';
import { absenceOf, nodeInfoOf } from './node-info.ts';
import type { Plans } from './plans.ts';
import type { PolicyDesk } from './policy-desk.ts';
import type { PresenceDesk } from './presence.ts';
import type { Recorder } from './recorder.ts';
import type { RequestDesk } from './requests.ts';
import type { Sender } from './signatures.ts';

export interface QueryDeps {
  readonly clock: Clock;
  readonly store: Store;
  readonly recorder: Recorder;
  readonly presence: PresenceDesk;
  readonly requests: RequestDesk;
  readonly plans: Plans;
  readonly policy: PolicyDesk;
  readonly port: () => number;
  /** Of the key that may speak for a node; undefined where there is no security, or no such key. */
  readonly fingerprintOf: (node: string) => string | undefined;
}

export type QueryReply = NodesReply | ForgetReply | PlanReply | RequestsReply | RequestReply | AnswersReply;

const defaultLimit = 100;
const mostListedNodes = 20;
const longestListedTopic = 255;
const answersPerPage = 1_000;
const answersPageBytes = 4 * 1024 * 1024;

/** Answers questions about nodes and requests. Throws a ServiceManagerError for what cannot be answered. */
export class Queries {
  readonly #deps: QueryDeps;

  constructor(deps: QueryDeps) {
    this.#deps = deps;
  }

  /** `sender`: who signed it; undefined where there is no security. */
  answer({ query, signed }: CheckedQuery, sender: Sender | undefined): QueryReply {
    switch (query.query) {
      case 'nodes':
        return this.#nodes(query);
      case 'forget':
        return this.#forget(query);
      case 'plan':
        return this.#plan(query, sender);
      case 'requests':
        return this.#requests(query);
      case 'request':
        return this.#request(idOf(query));
      case 'answers':
        return this.#answers(idOf(query), query);
      case 'cancel':
        return this.#cancel(idOf(query), signed, sender);
    }
  }

  #nodes({ topic }: Query): NodesReply {
    const { roster, subscriptions, offsets } = this.#deps.presence;
    const members = topic === undefined ? roster.all() : roster.onTopic(topic);
    const now = this.#deps.clock.now();
    const nodes = members.map((member) => ({
      ...nodeInfoOf(member, now, offsets.offsetOf(member.node)),
      ...given('fingerprint', this.#deps.fingerprintOf(member.node)),
    }));
    return { success: 0, nodes, unnamed: subscriptions.count('v1', topic ?? 'any'), port: this.#deps.port() };
  }

  #forget({ node }: Query): ForgetReply {
    if (node === undefined) throw missing('node');
    if (this.#deps.presence.forget(node)) return { success: 0, node };
    throw new ServiceManagerError('UNKNOWN_NODE', `no node of the name "${node}" is known`);
  }

  #plan({ body: text }: Query, sender: Sender | undefined): PlanReply {
    if (text === undefined) throw missing('body');
    const { presence, plans, policy } = this.#deps;
    const bodyBytes = Buffer.from(text);
    const body = RequestBody.decode(bodyBytes);
    const permissions = sender === undefined ? undefined : permissionsOf(sender, policy);
    const aimedAt = aimAt({ version: 'v2', body, bodyBytes, signature: '' }, presence, permissions);
    plans.expect(body, aimedAt);
    const { members, reach, rollout, denials } = aimedAt;
    const now = this.#deps.clock.now();
    const alive = members.filter(({ presence }) => presence === 'alive').map(({ node }) => node);
    const nodes = rollout === undefined ? inNaturalOrder(alive, (node) => node) : alive;
    const absent = members.filter(({ presence }) => presence !== 'alive');
    return {
      success: 0,
      plan: plans.make(body, aimedAt),
      nodes,
      absent: absent.map((member) => absenceOf(member, now)),
      ...(denials.size === 0 ? {} : { denied: [...denials].map(([node, reason]) => ({ node, reason })) }),
      unnamed: reach.v1,
      withheld: reach.withheld,
      ...(rollout === undefined
        ? {}
        : { batches: batchSizes(rollout.nodes.length, rollout.canary, rollout.batch) }),
    };
  }

  #requests({ sinceMs, node, service, outcome, limit = defaultLimit }: Query): RequestsReply {
    this.#deps.recorder.flush();
    const filter = {
      limit,
      ...(sinceMs === undefined ? {} : { sinceWallMs: sinceMs }),
      ...(node === undefined ? {} : { node }),
      ...(service === undefined ? {} : { service }),
      ...(outcome === undefined ? {} : { outcome }),
    };
    const requests: RequestInfo[] = [];
    this.#deps.store.visit(filter, ({ counts, ...stored }) =>
      requests.push(shortened(infoOf(stored, counts))),
    );
    return { success: 0, requests };
  }

  #request(id: RequestId): RequestReply {
    this.#deps.recorder.flush();
    const { stored, ledger } = this.#find(id);
    const now = this.#deps.clock.now();
    const entries = ledger.entries();
    const unreachable = entries.flatMap(({ node, outcome }) => {
      const member = outcome === 'unreachable' ? this.#deps.presence.roster.get(node) : undefined;
      return member === undefined ? [] : [absenceOf(member, now)];
    });
    return {
      success: 0,
      request: { ...infoOf(stored, ledger.counts()), ...this.#rolloutOf(id) },
      progress: entries.map(({ node, phase, outcome }) => ({
        node,
        phase,
        ...(outcome === undefined ? {} : { outcome }),
      })),
      unreachable,
      unnamed: ledger.anonymousMissing,
      port: this.#deps.port(),
      body: stored.bodyBytes.toString(),
    };
  }

  #rolloutOf(id: RequestId): Pick<RequestInfo, 'rollout'> {
    const rollout = this.#deps.requests.rollout(id);
    return rollout === undefined ? {} : { rollout };
  }

  #answers(id: RequestId, { node, limit = answersPerPage }: Query): AnswersReply {
    this.#deps.recorder.flush();
    this.#find(id);
    const page = { limit, maxBytes: answersPageBytes, ...(node === undefined ? {} : { afterNode: node }) };
    const stored = this.#deps.store.answers(id, page);
    const answers = stored.flatMap(({ payload }) => (payload === undefined ? [] : [payload.toString()]));
    const last = stored.at(-1);
    return { success: 0, answers, ...(last === undefined ? {} : { nextNode: last.node }) };
  }

  #cancel(id: RequestId, signed: Signed | undefined, sender: Sender | undefined): RequestReply {
    const { stored, ledger } = this.#find(id);
    if (sender !== undefined) this.#checkCancel(stored, ledger, sender);
    this.#deps.requests.cancel(ledger, signed);
    return this.#request(id);
  }

  /** Who may not begin something may not end it either, wherever it has not ended yet. */
  #checkCancel(stored: StoredRequest, ledger: Ledger, { asker }: Sender): void {
    const { policy, presence } = this.#deps;
    const asked = { cmd: stored.action as ActionName, service: stored.service as ServiceName };
    const open = ledger.entries().filter(({ phase, outcome }) => phase !== 'done' && outcome !== 'refused');
    const members = open.flatMap(({ node }) => presence.roster.get(node) ?? []);
    const [denial] = policy.denials(asker, asked, members);
    if (denial !== undefined) throw refusedCancel(stored, ...denial);
    // Anybody who may forget a node must not get around its rules by that. Who has begun it there was allowed to.
    const forgotten = open.find(({ node }) => presence.roster.get(node) === undefined);
    if (forgotten === undefined || stored.by === `${asker.role} ${asker.name}`) return;
    const reason = policy.denialAtUnknown(asker, asked);
    if (reason !== undefined) throw refusedCancel(stored, forgotten.node, reason);
  }

  #find(id: RequestId): { stored: StoredRequest; ledger: Ledger } {
    const stored = this.#deps.store.request(id);
    const ledger = stored === undefined ? undefined : this.#deps.requests.find(id);
    if (stored !== undefined && ledger !== undefined) return { stored, ledger };
    throw new ServiceManagerError('UNKNOWN_REQUEST', `no request of the id "${id}" is known`);
  }
}

function refusedCancel({ id }: StoredRequest, node: string, reason: string): ServiceManagerError {
  return new ServiceManagerError('POLICY_DENIED', `request ${id} on ${node}: ${reason}`);
}

function given<Value>(field: string, value: Value | undefined): Record<string, Value> {
  return value === undefined ? {} : { [field]: value };
}

function idOf({ id }: Query): RequestId {
  if (id === undefined) throw missing('id');
  return id;
}

function missing(field: string): ServiceManagerError {
  return new ServiceManagerError('INVALID_MESSAGE', `Query: field ${field} is missing`);
}

/** Whom thousands of requests were aimed at may be more, name by name, than one reply can hold. */
function shortened({ topic: target, nodes = [], ...info }: RequestInfo): RequestInfo {
  const topic = target.length <= longestListedTopic ? target : `${target.slice(0, longestListedTopic)}...`;
  if (nodes.length === 0) return { ...info, topic };
  const moreNodes = nodes.length - mostListedNodes;
  return {
    ...{ ...info, topic, nodes: nodes.slice(0, mostListedNodes) },
    ...(moreNodes > 0 ? { moreNodes } : {}),
  };
}

function infoOf(stored: StoredRequest, counts: RequestOverview['counts']): RequestInfo {
  // It was checked when it came: to check ten thousand names again takes many times as long as to read them.
  const { nodes } = JSON.parse(stored.bodyBytes.toString()) as RequestBody;
  return {
    id: stored.id,
    action: stored.action,
    topic: stored.topic,
    service: stored.service,
    ...(nodes === undefined ? {} : { nodes }),
    ...(stored.rollout === undefined ? {} : { rollout: keptInfoOf(stored.rollout) }),
    openedMs: stored.openedWallMs,
    ...(stored.endedWallMs === undefined ? {} : { endedMs: stored.endedWallMs }),
    endsMs: stored.endsWallMs,
    isCancelled: stored.isCancelled,
    ...given('by', stored.by),
    withheld: stored.withheld,
    counts: counts as Record<string, number>,
  };
}
