import type { Member } from '../core/roster.ts';
import { type TargetNode, targetMatcher } from '../core/target-match.ts';
import {
  type Asker,
  actionsOf,
  decide,
  describeDenial,
  explain,
  isAboutPlaces,
  type Policy,
  type Question,
} from '../security/policy.ts';
import type { PolicyQuestion, PolicyVerdict } from '../wire/admin.ts';
import type { NodeName } from '../wire/fields.ts';
import type { RequestBody } from '../wire/request.ts';

/** For whom the request is refused, each with why. */
export type Denials = ReadonlyMap<NodeName, string>;

type Asked = Pick<RequestBody, 'cmd' | 'service' | 'health'>;

/** What the policy of the manager says of requests, node by node. */
export class PolicyDesk {
  #policy: Policy;
  /** By the text of the target. */
  #matchers = new Map<string, (node: TargetNode) => boolean>();

  /** The targets of the policy have been checked: none of them throws. */
  constructor(policy: Policy) {
    this.#policy = policy;
  }

  replace(policy: Policy): void {
    this.#policy = policy;
    this.#matchers = new Map();
  }

  denials(asker: Asker, asked: Asked, members: readonly Member[]): Denials {
    const denials = new Map<NodeName, string>();
    for (const action of actionsOf(asked)) {
      const question = { asker, action, service: asked.service };
      const isPlaced = isAboutPlaces(this.#policy, question);
      const everywhere = isPlaced ? undefined : decide(this.#policy, { ...question, isAt: () => false });
      for (const member of members) {
        if (denials.has(member.node)) continue;
        const decision = everywhere ?? decide(this.#policy, { ...question, isAt: this.#isAt(member) });
        if (!decision.isAllowed) denials.set(member.node, describeDenial(action, decision));
      }
    }
    return denials;
  }

  /** Whether it may be one thing on one node, and another on another. */
  dependsOnPlace(asker: Asker, asked: Asked): boolean {
    const { service } = asked;
    return actionsOf(asked).some((action) => isAboutPlaces(this.#policy, { asker, action, service }));
  }

  /** Why it may not be done on a node of which nothing is known any more, not even which rules are about it. */
  denialAtUnknown(asker: Asker, asked: Asked): string | undefined {
    if (this.dependsOnPlace(asker, asked))
      return 'refused: the node is not known any more, and the rules ask where it is';
    for (const action of actionsOf(asked)) {
      const decision = decide(this.#policy, { asker, action, service: asked.service, isAt: () => false });
      if (!decision.isAllowed) return describeDenial(action, decision);
    }
    return undefined;
  }

  /** What it would say of this, with the nodes of which the same is said together. */
  test({ role, name, action, service }: PolicyQuestion, members: readonly Member[]): PolicyVerdict {
    const groups = new Map<string, { nodes: string[]; isAllowed: boolean; explanation: string }>();
    for (const member of members) {
      const question: Question = { asker: { role, name }, action, service, isAt: this.#isAt(member) };
      const explanation = explain(this.#policy, question);
      const { isAllowed } = decide(this.#policy, question);
      const group = groups.get(explanation) ?? { nodes: [], isAllowed, explanation };
      group.nodes.push(member.node);
      groups.set(explanation, group);
    }
    return { groups: [...groups.values()] };
  }

  #isAt({ node, facts }: Member): (target: string) => boolean {
    const place = { name: node, topics: new Set<string>(facts.topics) };
    return (target) => this.#matcher(target)(place);
  }

  #matcher(target: string): (node: TargetNode) => boolean {
    const known = this.#matchers.get(target);
    if (known !== undefined) return known;
    const made = targetMatcher(target);
    this.#matchers.set(target, made);
    return made;
  }
}
