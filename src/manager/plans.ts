import { planDifference, planToken } from '../core/plan.ts';
import { ServiceManagerError } from '../wire/errors.ts';
import type { NodeName } from '../wire/fields.ts';
import type { RequestBody } from '../wire/request.ts';
import type { AimedAt } from './aimed-at.ts';

// Each may name ten thousand nodes. What is forgotten only costs the list of differences in a refusal.
const maxPlans = 100;

type Aimed = Pick<AimedAt, 'members' | 'reach'>;

/** What was planned, so that it can be said what has changed since. */
export class Plans {
  readonly #sha256: (text: string) => string;
  /** The latest last. */
  readonly #plans = new Map<string, readonly NodeName[]>();

  /** `sha256` gives the hash of a text in hex. */
  constructor(sha256: (text: string) => string) {
    this.#sha256 = sha256;
  }

  make(body: RequestBody, aimed: Aimed): string {
    const token = this.#token(body, aimed);
    this.#plans.delete(token);
    this.#plans.set(token, nodesOf(aimed));
    const [oldest] = this.#plans.keys();
    if (this.#plans.size > maxPlans && oldest !== undefined) this.#plans.delete(oldest);
    return token;
  }

  /** Throws EXPECTATION_FAILED or PLAN_CHANGED when the request is not what was expected or planned. */
  check(body: RequestBody, aimed: Aimed): void {
    this.expect(body, aimed);
    if (body.plan === undefined || body.plan === this.#token(body, aimed)) return;
    throw new ServiceManagerError('PLAN_CHANGED', `plan ${body.plan}: ${this.#change(body.plan, aimed)}`);
  }

  /** Throws EXPECTATION_FAILED when it is aimed at another number of nodes. */
  expect(body: RequestBody, aimed: Aimed): void {
    const count = aimed.members.length + namelessOf(aimed);
    if (body.expect !== undefined && body.expect !== count) {
      throw new ServiceManagerError(
        'EXPECTATION_FAILED',
        `the request is aimed at ${count === 1 ? '1 node' : `${count} nodes`}, expected ${body.expect}`,
      );
    }
  }

  #token({ cmd, service }: RequestBody, aimed: Aimed): string {
    // No node has such a name.
    return planToken(cmd, service, [...nodesOf(aimed), `+${namelessOf(aimed)}`], this.#sha256);
  }

  #change(token: string, aimed: Aimed): string {
    const planned = this.#plans.get(token);
    if (planned === undefined) return 'it is another one now, and this manager does not know it any more';
    const { text } = planDifference(planned, nodesOf(aimed));
    return text === '' ? 'the action, the service or the v1 agents are others now' : `now ${text}`;
  }
}

function nodesOf({ members }: Aimed): NodeName[] {
  return members.map(({ node }) => node);
}

function namelessOf({ reach }: Aimed): number {
  return reach.v1 + reach.withheld;
}
