import type { Absence, NodeOutcome } from '../client/index.ts';
import { foldNames } from '../core/fold.ts';
import { type Outcome, outcomes } from '../core/outcome.ts';
import { type Answer, isServiceAnswer, nodeOfAnswer } from '../wire/result.ts';
import { absenceText } from './formats/absence.ts';
import { printable } from './formats/printable.ts';
import type { Output } from './output.ts';
import { failedOutcomes, isAimless, type Report, silentNodes } from './report.ts';

const mostNamedAlone = 20;

/** Says at once on standard error who will not answer: node by node, or, of many, in one line. */
export function announceAbsent(absences: readonly Absence[], output: Output): void {
  if (absences.length <= mostNamedAlone) {
    for (const absence of absences) output.message(`${absence.node}: unreachable, ${absenceText([absence])}`);
    return;
  }
  for (const hasLeft of [false, true]) {
    const group = absences.filter((absence) => (absence.hasLeft === true) === hasLeft);
    if (group.length === 0) continue;
    output.message(`unreachable: ${foldNames(group.map(({ node }) => node))}, ${absenceText(group)}`);
  }
}

/** How nodes are called that are in this outcome and did not say so themselves, in this order. */
const headings: ReadonlyArray<readonly [Outcome, string]> = [
  ['no-answer', 'no answer'],
  ['running', 'still running'],
  ['unreachable', 'unreachable'],
  ['refused', 'refused'],
  ['cancelled', 'cancelled'],
  ['expired', 'expired'],
  ['interrupted', 'interrupted'],
  ['failed', 'failed'],
  ['unverified', 'unverified'],
  ['ok', 'ok, but the answer did not arrive'],
];

/** Says on standard error how it went where somebody answered, when the answers themselves are not printed. */
export function nameAnswered(report: Report, output: Output): void {
  const silent = new Set(silentNodes(report).map(({ node }) => node));
  const answered = report.summary.outcomes.filter(({ node }) => !silent.has(node));
  const reasons = new Map<string | undefined, string | undefined>(
    report.answers.map((answer) => [nodeOfAnswer(answer), reasonOf(answer)]),
  );
  for (const outcome of outcomes) {
    const names = answered.filter((node) => node.outcome === outcome).map(({ node }) => node);
    for (const reason of new Set(names.map((node) => reasons.get(node)))) {
      const such = foldNames(names.filter((node) => reasons.get(node) === reason));
      output.message(`${outcome}: ${such}${reason === undefined ? '' : `: ${reason}`}`);
    }
  }
}

/** What the output of the action does not tell. */
function reasonOf(answer: Answer): string | undefined {
  if (!isServiceAnswer(answer)) return printable(answer.msg);
  const { verification, health, timedOut } = answer.result;
  if (timedOut === true) return 'timed out';
  if (verification?.isVerified === false) return printable(verification.reason ?? verification.after);
  return health?.isHealthy === false ? printable(`${health.check}: ${health.detail}`) : undefined;
}

/** Says on standard error what the answers do not show: who did not answer. `announced` were named at once. */
export function nameSilent(report: Report, announced: ReadonlySet<string>, output: Output): void {
  // What a rollout that stopped did not begin with is said by `sayStopped`.
  const silent = isStopped(report) ? withoutUnbegun(report) : silentNodes(report);
  for (const [outcome, heading] of headings) {
    const names = silent
      .filter((node) => node.outcome === outcome && !(outcome === 'unreachable' && announced.has(node.node)))
      .map(({ node }) => node);
    if (names.length > 0) output.message(`${heading}: ${foldNames(names)}`);
  }
  nameUnnamed(report, output);
}

/** Says on standard error why a rollout stopped before its end, what was not begun with, and how to go on. */
export function sayStopped(
  report: Report,
  { output, attachOptions }: { readonly output: Output; readonly attachOptions: string },
): void {
  const { facts, summary } = report;
  const why = summary.rollout?.stopped;
  if (why === undefined) return;
  const nodes = unbegun(report).map(({ node }) => node);
  output.message(`stopped: ${why}`);
  if (nodes.length > 0) output.message(`not started: ${foldNames(nodes)}`);
  const bad = summary.outcomes.filter(({ outcome }) => outcome !== 'ok');
  const failed = bad.filter(({ outcome }) => failedOutcomes.has(outcome));
  const parts = [
    ...(failed.length < bad.length ? ['--remaining'] : []),
    ...(failed.length > 0 ? ['--failed'] : []),
  ];
  if (parts.length === 0) return;
  output.message(
    `go on with: service-mgr-client requests resume ${facts.id} ${parts.join(' ')}${attachOptions}`,
  );
}

function isStopped({ summary }: Report): boolean {
  return summary.rollout?.stopped !== undefined;
}

function unbegun(report: Report): NodeOutcome[] {
  return silentNodes(report).filter(({ outcome }) => outcome === 'cancelled');
}

function withoutUnbegun(report: Report): NodeOutcome[] {
  return silentNodes(report).filter(({ outcome }) => outcome !== 'cancelled');
}

function nameUnnamed({ facts, summary }: Report, output: Output): void {
  const { unnamed, withheld, unreadable, isAimKnown } = summary;
  if (isAimless(summary)) sayNobody(facts.topic, output);
  if (unnamed > 0)
    output.message(
      isAimKnown ? `no answer: ${agents(unnamed)} without a name` : 'no answer: nobody answered',
    );
  if (withheld > 0)
    output.message(`not asked: ${agents(withheld)}, because a v1 agent on a shorter topic would act too`);
  if (unreadable > 0) output.message(`service-mgr-client: ${unreadable} messages could not be read`);
}

export function sayNobody(topic: string, output: Output): void {
  output.message(`service-mgr-client: no node is on topic "${topic}"`);
}

export function nodesText(count: number): string {
  return count === 1 ? '1 node' : `${count} nodes`;
}

function agents(count: number): string {
  return count === 1 ? '1 v1 agent' : `${count} v1 agents`;
}
