import type { Order, Plan } from '../client/index.ts';
import { plainTopic } from '../core/target.ts';
import { parseTarget } from '../core/target-parser.ts';
import { isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import { readOnlyActions } from '../wire/fields.ts';
import { nodesText } from './conclusion.ts';
import { cutTo } from './formats/columns.ts';
import { formatPlan, sizeOfPlan } from './formats/plan.ts';
import type { Session } from './session.ts';

const longestNames = 400;

/**
 * Lets a person look before much is changed: when the order changes services everywhere, or on more nodes than the
 * configuration allows without a word. Resolves with the order, which then carries the plan that was shown, or with
 * undefined when it was not confirmed. Rejects with BAD_USAGE where nobody can be asked.
 */
export async function confirmed(order: Order, session: Session): Promise<Order | undefined> {
  if (readOnlyActions.has(order.action)) return order;
  const plan = await planOf(order, session);
  const isEverybody = order.nodes === undefined && meansEverybody(order.topic);
  const size = plan === undefined ? undefined : sizeOfPlan(plan);
  if (!isEverybody && (size === undefined || size <= session.confirmAbove)) return order;
  if (size !== 0 && !(await isGranted(order, plan, session))) return undefined;
  return plan === undefined ? order : { ...order, plan: plan.plan };
}

/** Undefined from a manager of 2014, which cannot tell. */
async function planOf(order: Order, { manager }: Session): Promise<Plan | undefined> {
  try {
    return await manager.plan(order);
  } catch (error) {
    if (isServiceManagerError(error) && error.code === 'REFUSED') return undefined;
    throw error;
  }
}

function meansEverybody(topic: string): boolean {
  try {
    const target = parseTarget(topic, 'target');
    return plainTopic(target) === 'any' || (target.kind === 'glob' && target.text === '*');
  } catch (error) {
    // A topic that is no expression, or no target at all: the manager says which.
    if (isServiceManagerError(error)) return false;
    throw error;
  }
}

async function isGranted(
  { action, service, topic }: Order,
  plan: Plan | undefined,
  { terminal, output, interrupted, window }: Session,
): Promise<boolean> {
  const what = `${action} ${service} on ${plan === undefined ? `"${topic}"` : nodesText(sizeOfPlan(plan))}`;
  if (!terminal.canAsk) {
    throw new ServiceManagerError(
      'BAD_USAGE',
      `${what} is not confirmed, and nobody can be asked here; expected --yes, or --plan with the token of --dry-run`,
    );
  }
  if (plan !== undefined) output.message(formatPlan(plan, (names) => cutTo(longestNames, names)).trimEnd());
  await output.flush();
  const question = `${what}? Type yes to go on: `;
  const reply = await window.pause(() => terminal.ask(question, interrupted));
  if (reply?.trim().toLowerCase() === 'yes') return true;
  output.message(`${reply === undefined ? '\n' : ''}not confirmed, nothing was sent`);
  return false;
}
