import type { RolloutPlan } from '../core/rollout.ts';
import type { Member } from '../core/roster.ts';
import type { Reach } from '../core/subscriptions.ts';
import type { Topic } from '../wire/fields.ts';
import type { Denials } from './policy-desk.ts';

/** Whom a request is aimed at. */
export interface AimedAt {
  /** Of a rollout, in the order of their turns. */
  readonly members: readonly Member[];
  /** On its topic; where it is aimed at nodes by name, of v1 agents only. */
  readonly reach: Reach;
  /** The topic that it is aimed at as a whole. */
  readonly topic: Topic | undefined;
  /** Each node is sent the request by its name: exactly these, whoever else is on the topic. */
  readonly isByName: boolean;
  /** Of a rollout. */
  readonly rollout: RolloutPlan | undefined;
  /** Members for whom the policy refuses it, each with why: they are not asked. */
  readonly denials: Denials;
}
