import { exitCodeOfSummary, type Report } from '../../src/cli/report.ts';
import type { Absence, NodeOutcome, Outcome, Summary } from '../../src/client/index.ts';
import { outcomeOfAnswer } from '../../src/core/outcome.ts';
import { type Answer, nodeOfAnswer } from '../../src/wire/result.ts';
import { requestId } from './scripted-manager.ts';

export interface ReportParts {
  readonly answers?: readonly Answer[];
  /** Nodes that did not answer, with what became of them. */
  readonly silent?: ReadonlyArray<readonly [node: string, outcome: Outcome]>;
  readonly summary?: Partial<Summary>;
  readonly absences?: readonly Absence[];
  readonly facts?: Partial<Report['facts']>;
  readonly exitCode?: number;
}

/** A report of a status request that is over, as the client would make it of these answers. */
export function reportOf({ answers = [], silent = [], absences = [], ...more }: ReportParts): Report {
  let unnamed = 0;
  const heard = answers.map((answer): NodeOutcome => {
    unnamed += nodeOfAnswer(answer) === undefined ? 1 : 0;
    return { node: nodeOfAnswer(answer) ?? `unnamed-${unnamed}`, outcome: outcomeOfAnswer(answer) };
  });
  const summary: Summary = {
    id: requestId,
    outcomes: [...heard, ...silent.map(([node, outcome]) => ({ node, outcome }))],
    unnamed: 0,
    withheld: 0,
    isOver: true,
    isCancelled: false,
    isAimKnown: true,
    unreadable: 0,
    ...more.summary,
  };
  return {
    facts: { id: requestId, action: 'status', topic: 'any', service: 'nginx', ...more.facts },
    answers,
    summary,
    absences: new Map(absences.map((absence) => [absence.node, absence])),
    exitCode: more.exitCode ?? exitCodeOfSummary(summary),
  };
}
