import { aim, isForNodes } from '../core/aim.ts';
import type { Member } from '../core/roster.ts';
import type { Reach } from '../core/subscriptions.ts';
import type { KnownNodes } from '../core/target-nodes.ts';
import { ServiceManagerError } from '../wire/errors.ts';
import type { NodeName, Topic } from '../wire/fields.ts';
import type { CheckedRequest, RequestBody } from '../wire/request.ts';
import type { AimedAt } from './aimed-at.ts';
import type { Denials } from './policy-desk.ts';
import type { PresenceDesk } from './presence.ts';
import { rolloutPlanOf } from './rollout-plan.ts';

/** What whoever asks may do. Where there is no security, everybody may do everything. */
export interface Permissions {
  denials(body: RequestBody, members: readonly Member[]): Denials;
  /** It may be one thing on one node, and another on another. */
  dependsOnPlace(body: RequestBody): boolean;
}

const kibibyte = 1_024;
const mebibyte = 1_024 * kibibyte;
// Two seconds of a gigabit per second. What is longer under way than the first pause is sent again, and grows.
const mostBytesAtOnce = 256 * mebibyte;

const nobody: Reach = { v1: 0, v2: 0, withheld: 0 };
const noDenials: Denials = new Map();

/**
 * Whom the request is aimed at now. Throws BAD_TARGET and UNKNOWN_NODE as `aim` of core does, NO_NODE when an expression
 * is left with nobody, TOPIC_AMBIGUOUS, INVALID_MESSAGE for a rollout that cannot be, or for more bytes in all than can be
 * sent at once.
 */
export function aimAt(
  request: CheckedRequest,
  presence: PresenceDesk,
  permissions: Permissions | undefined,
): AimedAt {
  const aimedAt = anyAimOf(request, presence, permissions);
  refuseTooLarge(request.bodyBytes.byteLength, aimedAt);
  return aimedAt;
}

/**
 * Whether a request of which no more is known than its words was sent to each node by its name. One on a topic that was
 * sent so for the sake of a policy is not told from others.
 */
export function wasSentByName(body: RequestBody): boolean {
  return isForNodes(body) || body.plan !== undefined || body.rollout !== undefined;
}

function anyAimOf(
  { body, version }: CheckedRequest,
  presence: PresenceDesk,
  permissions: Permissions | undefined,
): AimedAt {
  // As in 2014, when there were topics only.
  const aimed =
    version === 'v1'
      ? { kind: 'topic' as const, topic: body.topic as Topic }
      : aim(body, knownNodes(presence));
  const reached =
    aimed.kind === 'topic' ? onTopic(aimed.topic, presence) : byName(aimed.nodes, body.topic, presence);
  const found = permissions === undefined ? reached : permitted(reached, body, permissions);
  refuseUnchecked(body, found.reach);
  if (body.rollout === undefined) return { ...found, isByName: found.isByName || body.plan !== undefined };
  const { members, plan } = rolloutPlanOf(body.rollout, body, found);
  return { ...found, members, isByName: true, rollout: plan };
}

/** Who is refused something must not hear of it; and whom the policy may judge one by one is asked one by one. */
function permitted(aimedAt: AimedAt, body: RequestBody, permissions: Permissions): AimedAt {
  const denials = permissions.denials(body, aimedAt.members);
  // Of nobody whom we know nothing can be decided, so nobody else must hear of it.
  const isKnown = aimedAt.members.length > 0 && !permissions.dependsOnPlace(body);
  const isByName = aimedAt.isByName || denials.size > 0 || !isKnown;
  return { ...aimedAt, denials, isByName, reach: { ...aimedAt.reach, v1: 0, withheld: 0 } };
}

/** v1 agents would answer `ok` to what they were not able to check. */
function refuseUnchecked({ health, settleMs = 0 }: RequestBody, { v1, withheld }: Reach): void {
  const agents = v1 + withheld;
  if (agents === 0 || (health === undefined && settleMs === 0)) return;
  const field = health === undefined ? 'settleMs' : 'health';
  throw new ServiceManagerError(
    'INVALID_MESSAGE',
    `RequestBody: field ${field}: ${agents} v1 agents on its topic cannot check that, expected a target that names nodes`,
  );
}

function onTopic(topic: Topic, presence: PresenceDesk): AimedAt {
  const reach = presence.reach(topic);
  const members = presence.roster.onTopic(topic);
  if (reach.withheld > 0 && members.length === 0) {
    const why = 'and so does an agent on a shorter topic, which would act on the request too';
    throw new ServiceManagerError(
      'TOPIC_AMBIGUOUS',
      `topic "${topic}": its ${reach.withheld} agents speak v1, ${why}`,
    );
  }
  return { members, reach, topic, isByName: false, rollout: undefined, denials: noDenials };
}

function byName(nodes: readonly NodeName[], target: string, { roster }: PresenceDesk): AimedAt {
  const members = nodes.map((node) => roster.get(node)).filter((member) => member !== undefined);
  if (members.length > 0) {
    const named = { reach: nobody, topic: undefined, isByName: true, rollout: undefined };
    return { ...named, members, denials: noDenials };
  }
  throw new ServiceManagerError('NO_NODE', `no node is in the target "${shortened(target)}"`);
}

/** What names thousands of nodes goes to each of these thousands. */
function refuseTooLarge(bodyBytes: number, { isByName, members, rollout }: AimedAt): void {
  const { nodes, batch, canary } = rollout ?? { nodes: members, batch: members.length, canary: 0 };
  const copies = isByName ? Math.min(nodes.length, Math.max(batch, canary)) : 1;
  if (bodyBytes * copies <= mostBytesAtOnce) return;
  const what = `${Math.ceil(bodyBytes / kibibyte)} KiB for each of ${copies} nodes`;
  const expected = `expected ${mostBytesAtOnce / mebibyte} MiB in all at most`;
  const remedy = 'fewer nodes at once (in batches), or a shorter way to name them such as web[1-40]';
  throw new ServiceManagerError('INVALID_MESSAGE', `RequestBody: ${what}, ${expected}: ${remedy}`);
}

/** What a target is held against. */
export function knownNodes({ roster, subscriptions }: PresenceDesk): KnownNodes {
  return {
    all: () => roster.all(),
    get: (name) => roster.get(name),
    onTopic: (topic) => roster.onTopic(topic),
    // Of a topic of thousands of nodes, the list of them comes last: subscriptions are counted anyway.
    isTopic: (text): text is Topic =>
      subscriptions.count('v2', text) > 0 ||
      subscriptions.count('v1', text) > 0 ||
      roster.onTopic(text).length > 0,
  };
}

const longestShown = 200;

function shortened(text: string): string {
  return text.length <= longestShown ? text : `${text.slice(0, longestShown)}...`;
}
