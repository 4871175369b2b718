import type { Absence, History, NodeOutcome, Progress, Summary } from '../client/index.ts';
import type { Clock } from '../platform/clock.ts';
import { isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import type { RequestReply } from '../wire/query.ts';
import { follow } from './follow.ts';
import type { Format } from './print.ts';
import type { Session } from './session.ts';

const idLength = 32;
const mostSearched = 10_000;
const latest = 'last';

/** How an earlier request is named on the command line. */
export const requestName = {
  expected: `the id of a request (${idLength} characters of 0-9 and a-f), the beginning of one, or ${latest}`,
  parse(text: string): string | undefined {
    const name = text.toLowerCase();
    return name === latest || /^[0-9a-f]{1,32}$/.test(name) ? name : undefined;
  },
};

/** The request of this name as it is now. Rejects with UNKNOWN_REQUEST, or BAD_USAGE when several begin so. */
export async function findRequest(name: string, history: History): Promise<RequestReply> {
  if (name.length === idLength) return history.show(name);
  const isLatest = name === latest;
  const listed = await history.list({ limit: isLatest ? 1 : mostSearched });
  const [found, other] = isLatest ? listed : listed.filter(({ id }) => id.startsWith(name));
  if (found === undefined) {
    const which = isLatest ? '' : ` whose id begins with ${name}`;
    throw new ServiceManagerError('UNKNOWN_REQUEST', `no request${which} is known`);
  }
  if (other === undefined) return history.show(found.id);
  throw new ServiceManagerError(
    'BAD_USAGE',
    `${name} is the beginning of several ids, such as ${found.id} and ${other.id}; expected more of it`,
  );
}

/** What is known of a request without having listened to it. */
export function summaryOfReply({ request, progress, unnamed }: RequestReply): Summary {
  const { id, withheld, isCancelled, endedMs, rollout } = request;
  const outcomes = progress.map(outcomeOfProgress);
  return {
    ...{ id, outcomes, unnamed, withheld, isCancelled },
    isOver: endedMs !== undefined,
    isAimKnown: true,
    unreadable: 0,
    ...(rollout === undefined ? {} : { rollout }),
  };
}

/** What it would be if the request ended now. */
function outcomeOfProgress({ node, phase, outcome }: Progress): NodeOutcome {
  if (phase === 'waiting') return { node, outcome: outcome ?? 'cancelled' };
  return { node, outcome: outcome ?? (phase === 'asked' ? 'no-answer' : 'running') };
}

/** Nodes that were not there when the request was sent, and have not been seen since. */
export function absencesOf({ request, unreachable }: RequestReply, clock: Clock): Absence[] {
  const openedAgoMs = clock.wallMs() - request.openedMs;
  return unreachable.filter(({ lastSeenAgoMs }) => lastSeenAgoMs >= openedAgoMs);
}

/** Prints what was answered so far and what still comes, as if the request had just been sent. */
export async function followEarlier(reply: RequestReply, format: Format, session: Session): Promise<number> {
  const { manager, ended, clock } = session;
  const { history } = manager;
  const { request: facts } = reply;
  const request = await history.attach(facts.id, ended);
  const lastLook = (summary: Summary) => lookAgain(summary, history);
  return follow({ request, facts, format, absences: absencesOf(reply, clock), lastLook }, session);
}

/** Nodes that are at work have not answered, but they are not silent: the manager knows. */
async function lookAgain(summary: Summary, history: History): Promise<Summary> {
  try {
    const { outcomes, isOver, unnamed, rollout } = summaryOfReply(await history.show(summary.id));
    const now = new Map(outcomes.map(({ node, outcome }) => [node, outcome]));
    const amended = summary.outcomes.map(({ node, outcome }) => ({
      node,
      outcome: outcome === 'no-answer' ? (now.get(node) ?? outcome) : outcome,
    }));
    return { ...summary, outcomes: amended, isOver, unnamed, ...(rollout === undefined ? {} : { rollout }) };
  } catch (error) {
    if (!isServiceManagerError(error)) throw error;
    return summary;
  }
}
