import { createColors } from 'picocolors';
import { type Outcome, outcomeOfAnswer } from '../../core/outcome.ts';
import { type Answer, isServiceAnswer, type ServiceAnswer, withTextOutput } from '../../wire/result.ts';
import { printable, printableLines } from './printable.ts';

/** What people are shown of an answer. Every text in it is printable, whatever the node sent. */
export interface Summary {
  /** Undefined when a 2014 agent did not name itself. */
  readonly node: string | undefined;
  readonly outcome: Outcome;
  /** The service's state when that was asked for and is known, otherwise the outcome. */
  readonly word: string;
  readonly isState: boolean;
  readonly returncode: number | undefined;
  readonly isTimedOut: boolean;
  readonly durationMs: number | undefined;
  /** What was said, the more telling stream first. */
  readonly lines: readonly string[];
}

export function summaryOf(answer: Answer): Summary {
  const outcome = outcomeOfAnswer(answer);
  if (isServiceAnswer(answer)) return summaryOfService(answer, outcome);
  return {
    node: answer.node === undefined ? undefined : printable(answer.node),
    outcome,
    word: outcome,
    isState: false,
    returncode: undefined,
    isTimedOut: false,
    durationMs: undefined,
    lines: printableLines(answer.msg),
  };
}

function summaryOfService(answer: ServiceAnswer, outcome: Outcome): Summary {
  const { node, returncode, state, durationMs, timedOut } = answer.result;
  const isState = state !== undefined && isStatusAnswer(answer);
  return {
    node: printable(node),
    outcome,
    word: isState ? printable(state) : outcome,
    isState,
    returncode,
    isTimedOut: timedOut === true,
    durationMs,
    lines: linesOf(answer, outcome === 'ok' || isState),
  };
}

// An answer says in `msg` only, and since 2014 in these words, which action it answers. Other actions carry a state
// too, but theirs is not what was asked for.
function isStatusAnswer({ msg }: ServiceAnswer): boolean {
  return msg.startsWith('Executed service status request');
}

// What went wrong is on stderr; a status, also that of a stopped service, is on stdout.
function linesOf(answer: ServiceAnswer, isOutFirst: boolean): string[] {
  const { stdout, stderr } = withTextOutput(answer).result;
  const out = printableLines(String(stdout));
  const error = printableLines(String(stderr));
  return isOutFirst ? [...out, ...error] : [...error, ...out];
}

/** Colours a text by what it tells; as it stands without colour. */
export function painter(isColor: boolean): (summary: Summary, text: string) => string {
  const colors = createColors(isColor);
  return ({ outcome, word }, text) => {
    if (outcome === 'ok') return colors.green(text);
    return word === 'stopped' ? colors.yellow(text) : colors.red(text);
  };
}
