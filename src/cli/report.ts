import type { Absence, NodeOutcome, Summary } from '../client/index.ts';
import { inNaturalOrder } from '../core/natural-order.ts';
import type { Outcome } from '../core/outcome.ts';
import type { RequestId } from '../wire/fields.ts';
import { type Answer, nodeOfAnswer } from '../wire/result.ts';
import { exitCodeNamed, exitCodeOf } from './exit-codes.ts';

/** What was asked for. */
export interface RequestFacts {
  readonly id: RequestId;
  readonly action: string;
  readonly topic: string;
  readonly service: string;
  /** Aimed at these nodes only. */
  readonly nodes?: readonly string[] | undefined;
  /** Milliseconds since 1970; known of requests in the history. */
  readonly openedMs?: number | undefined;
  readonly endedMs?: number | undefined;
}

/** A request as it is printed: what was asked for, what was answered, and what became of those who did not. */
export interface Report {
  readonly facts: RequestFacts;
  /** As they came. */
  readonly answers: readonly Answer[];
  readonly summary: Omit<Summary, 'id'>;
  /** What is known of nodes that were not there. */
  readonly absences: ReadonlyMap<string, Absence>;
  readonly exitCode: number;
}

/** Ends that are definite and not good. */
export const failedOutcomes: ReadonlySet<Outcome> = new Set<Outcome>([
  'failed',
  'unverified',
  'refused',
  'expired',
  'interrupted',
]);

/** By node name in natural order; those of nameless 2014 agents come last, as they arrived. */
export function answersInOrder({ answers }: Pick<Report, 'answers'>): Answer[] {
  const named = answers.filter((answer) => nodeOfAnswer(answer) !== undefined);
  const unnamed = answers.filter((answer) => nodeOfAnswer(answer) === undefined);
  return [...inNaturalOrder(named, (answer) => nodeOfAnswer(answer) ?? ''), ...unnamed];
}

export function outcomesInOrder({ summary }: Pick<Report, 'summary'>): NodeOutcome[] {
  return inNaturalOrder(summary.outcomes, ({ node }) => node);
}

/** Nodes whose outcome is known without an answer of theirs, in natural order. */
export function silentNodes({ answers, summary }: Pick<Report, 'answers' | 'summary'>): NodeOutcome[] {
  const heard = new Set<string>();
  let unnamed = 0;
  for (const answer of answers) {
    const node = nodeOfAnswer(answer);
    // As the ledger calls 2014 agents that do not name themselves.
    if (node === undefined) unnamed += 1;
    heard.add(node ?? `unnamed-${unnamed}`);
  }
  return outcomesInOrder({ summary }).filter(({ node }) => !heard.has(node));
}

/** What is known of a node that was not there. One that came back in time has another outcome. */
export function absenceOf({ absences }: Report, { node, outcome }: NodeOutcome): Absence | undefined {
  return outcome === 'unreachable' ? absences.get(node) : undefined;
}

/** How many nodes stand in each outcome that occurs, v1 agents without a name among them. */
export function countsOf({ outcomes, unnamed, withheld }: Report['summary']): Map<Outcome, number> {
  const counts = new Map<Outcome, number>();
  const add = (outcome: Outcome, count: number): void => {
    if (count > 0) counts.set(outcome, (counts.get(outcome) ?? 0) + count);
  };
  for (const { outcome } of outcomes) add(outcome, 1);
  add('no-answer', unnamed);
  add('refused', withheld);
  return counts;
}

/** Nobody at all was meant: neither asked, nor missing, nor left out. */
export function isAimless({ isAimKnown, outcomes, unnamed, withheld }: Report['summary']): boolean {
  return isAimKnown && outcomes.length === 0 && unnamed === 0 && withheld === 0;
}

export function exitCodeOfSummary(summary: Report['summary']): number {
  return isAimless(summary) ? exitCodeNamed('no-node') : exitCodeOf(countsOf(summary).keys());
}
