import type { PendingRequest, ServiceManager, Summary } from '../client/index.ts';
import { type Outcome, outcomeOfAnswer } from '../core/outcome.ts';
import type { Answer } from '../wire/result.ts';
import { exitCodeNamed, exitCodeOf } from './exit-codes.ts';
import type { Output } from './output.ts';
import { type Format, formatAnswerLine, printAnswers } from './print.ts';

export interface RequestCommand {
  readonly topic: string;
  readonly action: string;
  readonly service: string;
  readonly windowMs: number;
  readonly actionTimeoutMs: number | undefined;
  readonly format: Format;
  readonly isDebug: boolean;
}

/** Sends one order, prints what the nodes answer, and resolves with the exit code that tells the truth about it. */
export async function runRequest(
  manager: ServiceManager,
  command: RequestCommand,
  output: Output,
  interrupted: AbortSignal,
): Promise<number> {
  const { topic, action, service, windowMs, actionTimeoutMs, format } = command;
  const request = await manager.send({
    topic,
    action,
    service,
    windowMs,
    signal: interrupted,
    ...(actionTimeoutMs === undefined ? {} : { actionTimeoutMs }),
  });
  if (command.isDebug)
    output.message(`request ${request.id}: sent to ${request.expected ?? 'an unknown number of'} agents`);
  const answers = await collectAnswers(request, format, output);
  if (format !== 'ndjson') output.data(printAnswers(format, answers, output.isColor, output.columns));
  if (interrupted.aborted) {
    output.message(`service-mgr-client: interrupted; request ${request.id} goes on without us`);
    return exitCodeNamed('interrupted');
  }
  return conclude(command, answers, request.summary, output);
}

async function collectAnswers(request: PendingRequest, format: Format, output: Output): Promise<Answer[]> {
  const answers: Answer[] = [];
  for await (const answer of request) {
    answers.push(answer);
    if (format === 'ndjson') output.data(formatAnswerLine(answer));
  }
  return answers;
}

/** Says on standard error what standard output cannot show: who did not answer. */
function conclude(
  command: RequestCommand,
  answers: readonly Answer[],
  summary: Summary,
  output: Output,
): number {
  const { expected, withheld, unreadable } = summary;
  if (expected === 0 && withheld === 0) {
    output.message(`service-mgr-client: no connected agent subscribes to topic "${command.topic}"`);
    return exitCodeNamed('no-node');
  }
  const missing =
    expected === undefined ? Number(answers.length === 0) : Math.max(0, expected - answers.length);
  const seconds = command.windowMs / 1_000;
  if (expected === undefined && missing > 0)
    output.message(`service-mgr-client: nobody answered within ${seconds} s`);
  else if (missing > 0)
    output.message(`service-mgr-client: ${missing} of ${expected} agents did not answer within ${seconds} s`);
  if (unreadable > 0) output.message(`service-mgr-client: ${unreadable} answers could not be read`);
  if (withheld > 0) {
    output.message(
      `service-mgr-client: ${withheld} v1 agents were not asked: a v1 agent on a shorter topic would act too`,
    );
  }
  const outcomes: Outcome[] = [
    ...answers.map(outcomeOfAnswer),
    ...Array<Outcome>(missing).fill('no-answer'),
    ...Array<Outcome>(withheld).fill('refused'),
  ];
  return exitCodeOf(outcomes);
}
