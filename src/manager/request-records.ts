import type { Ledger } from '../core/ledger.ts';
import type { AimedNode } from '../core/ledger-events.ts';
import type { Member } from '../core/roster.ts';
import type { StoredRequest } from '../store/store.ts';
import type { ErrorCode } from '../wire/errors.ts';
import type { NodeName, RequestId } from '../wire/fields.ts';
import { type CheckedRequest, RequestBody } from '../wire/request.ts';
import { Answer } from '../wire/result.ts';
import type { AimedAt } from './aimed-at.ts';
import type { Dispatchable } from './dispatch.ts';
import type { Denials } from './policy-desk.ts';
import type { Sender } from './signatures.ts';

/** A v1 request says no window; its ledger stays open this long for agents that never answer. */
export const defaultWindowMs = 60_000;

/** A client may write any number, and a database gives none back that is not safe. */
const latestWallMs = Number.MAX_SAFE_INTEGER;

/** A v1 client does not say until when its request is good; an agent that was out of reach must not begin with it later. */
export function withDeadline(request: CheckedRequest, wallMs: number): CheckedRequest {
  if (request.version === 'v2') return request;
  const body = { ...request.body, notAfterMs: Math.round(wallMs + defaultWindowMs) };
  return { ...request, body, bodyBytes: RequestBody.encode(body) };
}

/** `denials`: for whom the policy refuses it. */
export function aimedNodeOf({ node, presence, conflict }: Member, denials: Denials): AimedNode {
  const isDenied = denials.has(node);
  return { node, isAlive: presence === 'alive', isRefused: conflict.length > 0 || isDenied, isDenied };
}

/** What is said for those that refuse it before they are asked, or are not asked at all. */
export function refusalsOf(
  id: RequestId,
  { members, denials }: Pick<AimedAt, 'members' | 'denials'>,
): ReadonlyMap<NodeName, Buffer> {
  const refusals = new Map<NodeName, Buffer>();
  for (const { node, conflict } of members) {
    const denial = denials.get(node);
    if (denial !== undefined) refusals.set(node, refusalOf(id, node, 'POLICY_DENIED', denial));
    else if (conflict.length > 0) refusals.set(node, refusalOf(id, node, 'NAME_CONFLICT', conflictText));
  }
  return refusals;
}

const conflictText =
  'several agents use the name of this node; none of them is served until the others are renamed';

function refusalOf(id: RequestId, node: NodeName, code: ErrorCode, reason: string): Buffer {
  return Answer.encode({ success: -1, msg: reason, node, uuid: id, code });
}

export function storedRequestOf(
  { version, body, bodyBytes, signature }: CheckedRequest,
  { anonymous, withheld }: Pick<Ledger, 'anonymous' | 'withheld'>,
  wallMs: number,
  windowMs: number,
  sender: Sender | undefined,
): StoredRequest {
  return {
    id: body.id,
    form: version,
    bodyBytes,
    signature,
    action: body.cmd,
    topic: body.topic,
    service: body.service,
    openedWallMs: wallMs,
    endsWallMs: wallMs + windowMs,
    endedWallMs: undefined,
    isCancelled: false,
    anonymous,
    withheld,
    ...(sender === undefined ? {} : { by: `${sender.asker.role} ${sender.asker.name}` }),
    ...(body.notAfterMs === undefined ? {} : { notAfterWallMs: Math.min(body.notAfterMs, latestWallMs) }),
  };
}

export function dispatchableOf({ bodyBytes, signature }: StoredRequest): Dispatchable {
  return { body: RequestBody.decode(bodyBytes), bodyBytes, signature };
}
