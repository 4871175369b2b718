import { resolveQuantity } from '../core/quantity.ts';
import type { RolloutPlan } from '../core/rollout.ts';
import { orderNodes } from '../core/rollout-order.ts';
import type { Member } from '../core/roster.ts';
import { ServiceManagerError } from '../wire/errors.ts';
import type { NodeName } from '../wire/fields.ts';
import type { RequestBody, Rollout } from '../wire/request.ts';
import type { AimedAt } from './aimed-at.ts';

const defaultWindowMs = 60_000;

/**
 * The members in the order of their turns, and what the rollout is to do with those of them that are there. Percentages
 * are of all of them. Throws INVALID_MESSAGE where it could never begin, or not reach everybody.
 */
export function rolloutPlanOf(
  rollout: Rollout,
  { windowMs = defaultWindowMs, seed = 0 }: Pick<RequestBody, 'windowMs' | 'seed'>,
  { members: found, reach, denials }: Pick<AimedAt, 'members' | 'reach' | 'denials'>,
): { readonly members: readonly Member[]; readonly plan: RolloutPlan } {
  refuseNameless(reach.v1 + reach.withheld);
  const members = inOrder(found, rollout.order ?? 'name', seed);
  const total = members.length;
  const batch = resolveQuantity(rollout.batch, total, 'at-least-one');
  if (batch === 0 && total > 0)
    throw refused(`field batch is "${rollout.batch}", expected one node at least`);
  const { canary = 0, pauseMs = 0, maxFail = '0', maxUnreachable } = rollout;
  const plan = {
    nodes: members.filter((member) => isReady(member) && !denials.has(member.node)).map(({ node }) => node),
    ...(denials.size === 0 ? {} : { denied: [...denials.keys()] }),
    ...{ batch: Math.max(1, batch), canary, pauseMs, windowMs },
    maxFail: resolveQuantity(maxFail, total, 'down'),
    ...(maxUnreachable === undefined
      ? {}
      : { maxUnreachable: resolveQuantity(maxUnreachable, total, 'down') }),
  };
  return { members, plan };
}

function inOrder(
  members: readonly Member[],
  order: NonNullable<Rollout['order']>,
  seed: number,
): readonly Member[] {
  const byAge = [...members].sort((one, other) => one.sinceWallMs - other.sinceWallMs);
  const named = new Map<NodeName, Member>(byAge.map((member) => [member.node, member]));
  return orderNodes([...named.keys()], order, seed).flatMap((node) => named.get(node) ?? []);
}

function isReady({ presence, conflict }: Member): boolean {
  return presence === 'alive' && conflict.length === 0;
}

function refuseNameless(agents: number): void {
  if (agents === 0) return;
  const whom = `${agents} v1 agents on its topic have no names and cannot have a turn`;
  throw refused(`${whom}, expected a target that names nodes`);
}

function refused(why: string): ServiceManagerError {
  return new ServiceManagerError('INVALID_MESSAGE', `Rollout: ${why}`);
}
