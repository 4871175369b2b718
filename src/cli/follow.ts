import type { Absence, PendingRequest, Summary } from '../client/index.ts';
import type { Answer } from '../wire/result.ts';
import { announceAbsent, nameAnswered, nameSilent, sayStopped } from './conclusion.ts';
import { exitCodeNamed } from './exit-codes.ts';
import { LiveOutput } from './live-output.ts';
import { type Format, formatAnswerLine, printReport } from './print.ts';
import { Progress } from './progress.ts';
import { exitCodeOfSummary, isAimless, type RequestFacts } from './report.ts';
import type { Session } from './session.ts';

export interface Followed {
  readonly request: PendingRequest;
  readonly facts: RequestFacts;
  /** Undefined: the output of the actions was printed as it came, and their answers need not be. */
  readonly format: Format | undefined;
  readonly isFollowed?: boolean;
  /** Nodes that were not there when it was sent. */
  readonly absences: readonly Absence[];
  /** Looks once more what became of those who have not answered when the wait is over and the request is not. */
  readonly lastLook?: (summary: Summary) => Promise<Summary>;
}

/** Waits for the answers to a request, prints them, and resolves with the exit code that tells the truth about it. */
export async function follow(followed: Followed, session: Session): Promise<number> {
  const { request, facts, format, absences, lastLook } = followed;
  const { output, interrupted } = session;
  announceAbsent(absences, output);
  if (isAimless(request.summary)) await request.stop();
  const live =
    followed.isFollowed === true ? new LiveOutput(request.nodes, output, format === undefined) : undefined;
  if (live !== undefined) request.onOutput((piece) => live.take(piece));
  const answers = await collectAnswers(request, format, session);
  live?.close();
  const isInterrupted = interrupted.aborted;
  const known = request.summary;
  const summary = known.isOver || isInterrupted || lastLook === undefined ? known : await lastLook(known);
  const exitCode = isInterrupted ? exitCodeNamed('interrupted') : exitCodeOfSummary(summary);
  const report = { facts, answers, summary, absences: byNode(absences), exitCode };
  if (format === undefined) nameAnswered(report, output);
  else if (format !== 'ndjson') output.data(printReport(format, report, output));
  if (isInterrupted) sayInterrupted(summary, session);
  else {
    nameSilent(report, new Set(report.absences.keys()), output);
    if (request.isForgotten)
      output.message('service-mgr-client: its manager does not know this rollout any more');
    sayStopped(report, session);
  }
  return exitCode;
}

export function byNode(absences: readonly Absence[]): Map<string, Absence> {
  return new Map(absences.map((absence) => [absence.node, absence]));
}

/** A rollout waits for its own manager, however long that takes: who waits with it should know. */
function sayWhenSilent(request: PendingRequest, { output, attachOptions }: Session): void {
  let silent: string | undefined;
  request.onChange(() => {
    const { silentManager } = request;
    if (silentManager === silent) return;
    if (silentManager === undefined) output.message(`service-mgr-client: ${silent} is there again`);
    else
      output.message(
        `service-mgr-client: ${silentManager} does not answer. No other manager goes on with its rollout; it does so ` +
          `itself when it is back. Waiting for that; later: service-mgr-client requests attach ${request.id}${attachOptions}`,
      );
    silent = silentManager;
  });
}

async function collectAnswers(
  request: PendingRequest,
  format: Format | undefined,
  session: Session,
): Promise<Answer[]> {
  const { output, clock } = session;
  const answers: Answer[] = [];
  const isStreamed = format === 'ndjson';
  // On one terminal the line and the answers would come into each other's way.
  const progress = isStreamed && output.isOutTerminal ? undefined : new Progress(request, output, clock);
  const showBatch = (): void => {
    if (request.rollout !== undefined) progress?.advanced(request.rollout);
  };
  showBatch();
  request.onChange(showBatch);
  sayWhenSilent(request, session);
  for await (const answer of request) {
    answers.push(answer);
    progress?.answered(answer);
    if (isStreamed) output.data(formatAnswerLine(answer));
  }
  progress?.close();
  return answers;
}

function sayInterrupted({ id, isAimKnown }: Summary, { output, attachOptions }: Session): void {
  // A v1 manager knows nothing of requests that went by.
  const how = isAimKnown ? `: service-mgr-client requests attach ${id}${attachOptions}` : '';
  output.message(`interrupted; request ${id} goes on${how}`);
}
