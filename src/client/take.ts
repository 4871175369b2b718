import type { Clock } from '../platform/clock.ts';
import { longestLifeMs } from '../security/skew.ts';
import { isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import { PlanReply, Query, sealQuery } from '../wire/query.ts';
import { Accepted } from '../wire/reply.ts';
import { type RequestBody, sealRequest } from '../wire/request.ts';
import { type AskDeps, type AskOptions, ask, type Replied } from './ask.ts';

/** How long the reply of a manager is waited for. */
export interface Patience {
  /** Of the clock's `now`. */
  readonly deadlineMs: number;
  /** Gives up at once when aborted. */
  readonly signal: AbortSignal | undefined;
}

/** As long as questions are waited for that nobody waits for with a window. */
export function patienceOf({ endpoints, timeoutMs, retries, signal }: AskOptions, clock: Clock): Patience {
  return { deadlineMs: clock.now() + timeoutMs * Math.max(1, retries) * endpoints.length, signal };
}

// A query is good for as long as it is waited for, and for what clocks may differ beside.
const spareMs = 30_000;

/** The frame of a query, signed by who asks. Throws INVALID_MESSAGE for fields that are not good. */
export function queryFrame(
  fields: Readonly<Record<string, unknown>>,
  { deadlineMs }: Patience,
  { identity, clock, newId }: AskDeps,
): Buffer {
  if (identity === undefined) return sealQuery(Query.parse({ v: 2, ...fields }), undefined);
  const sentAtMs = Math.round(clock.wallMs());
  const goodMs = Math.min(longestLifeMs, Math.max(0, deadlineMs - clock.now()) + spareMs);
  const notAfterMs = Math.round(sentAtMs + goodMs);
  const query = Query.parse({ v: 2, ...fields, nonce: newId(), sentAtMs, notAfterMs });
  return sealQuery(query, (bytes) => identity.sign('query', bytes));
}

/** The frame of a request, signed by who asks. */
export function requestFrame(body: RequestBody, { identity }: AskDeps): Buffer {
  return sealRequest(body, identity === undefined ? undefined : (bytes) => identity.sign('request', bytes));
}

/** Whom the request would reach now, by the word of the first manager that answers. Rejects as `ask` does. */
export function askPlan(
  body: RequestBody,
  patience: Patience,
  options: AskOptions,
  deps: AskDeps,
): Promise<Replied<PlanReply>> {
  const frame = () => queryFrame({ query: 'plan', body: JSON.stringify(body) }, patience, deps);
  return ask({ frame, reply: PlanReply, ...patience }, options, deps);
}

/**
 * Hands a request in. One whose limits a manager of 2014 would not see, so that it would run it on other nodes or on
 * all of them at once, goes to a manager that planned it before, and to no other one: the plan changes nothing, so
 * any manager may be asked for it, while a second manager that got a rollout would run its batches at the same time.
 * Rejects as `ask` does.
 */
export async function take(
  body: RequestBody,
  patience: Patience,
  options: AskOptions,
  deps: AskDeps,
): Promise<Replied<Accepted>> {
  const frame = requestFrame(body, deps);
  const question = { frame: () => frame, reply: Accepted, ...patience };
  if (!hasLimits(body)) return ask(question, options, deps);
  const { endpoint } = await planned(body, patience, options, deps);
  try {
    return await ask(question, { ...options, endpoints: [endpoint] }, deps);
  } catch (error) {
    throw isServiceManagerError(error) && error.code === 'MANAGER_UNREACHABLE' ? lost(body, endpoint) : error;
  }
}

// Operators, brackets, quotes and wildcards: core/target.ts reads more in them than a topic.
const moreThanTopic = /[,()[\]'"*?]|(?:^|\s)(?:and|or|not)(?=\s|$)/i;

/** Whether a manager of 2014, which looks at action, topic and service alone, would run it elsewhere than was meant. */
function hasLimits({ topic, nodes, exclude, limit, expect, plan, rollout }: RequestBody): boolean {
  const limits = [nodes, exclude, limit, expect, plan, rollout];
  return limits.some((given) => given !== undefined) || moreThanTopic.test(topic);
}

async function planned(body: RequestBody, patience: Patience, options: AskOptions, deps: AskDeps) {
  try {
    return await askPlan(body, patience, options, deps);
  } catch (error) {
    // Without a code it comes from a manager of 2014.
    if (!isServiceManagerError(error) || error.code !== 'REFUSED') throw error;
    const why = 'it knows only topics, so it would run the request on other nodes; nothing was sent';
    throw new ServiceManagerError('REFUSED', `${error.message}: ${why}`, { cause: error });
  }
}

function lost({ id }: RequestBody, endpoint: string): ServiceManagerError {
  return new ServiceManagerError(
    'MANAGER_UNREACHABLE',
    `${endpoint} did not say whether it took request ${id}; when it is back, it knows (requests show ${id})`,
  );
}
