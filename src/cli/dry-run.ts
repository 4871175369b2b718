import type { Order } from '../client/index.ts';
import { ServiceManagerError } from '../wire/errors.ts';
import { sayNobody } from './conclusion.ts';
import { exitCodeNamed } from './exit-codes.ts';
import { formatPlan, formatPlanJson, sizeOfPlan } from './formats/plan.ts';
import type { Format } from './print.ts';
import type { Session } from './session.ts';

/** Prints whom the order would reach, and runs nothing. Rejects with BAD_USAGE for a format of answers. */
export async function dryRun(
  order: Order,
  format: Format | undefined,
  { manager, output }: Session,
): Promise<number> {
  if (format !== undefined && format !== 'json' && format !== 'table')
    throw new ServiceManagerError(
      'BAD_USAGE',
      `option --dry-run with --format ${format}, expected json or table`,
    );
  const plan = await manager.plan(order);
  output.data(format === 'json' ? formatPlanJson(plan) : `${formatPlan(plan)}plan: ${plan.plan}\n`);
  if (sizeOfPlan(plan) > 0) return 0;
  sayNobody(order.topic, output);
  return exitCodeNamed('no-node');
}
