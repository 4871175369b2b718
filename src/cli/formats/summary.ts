import { createColors } from 'picocolors';
import type { NodeOutcome } from '../../client/index.ts';
import { type Outcome, outcomeOfAnswer } from '../../core/outcome.ts';
import type { Absence } from '../../wire/reply.ts';
import {
  type Answer,
  isServiceAnswer,
  type ServiceAnswer,
  type Verification,
  withTextOutput,
} from '../../wire/result.ts';
import { absenceText } from './absence.ts';
import { membersLine } from './members.ts';
import { printable, printableLines } from './printable.ts';

/** What people are shown of a node. Every text in it is printable, whatever the node sent. */
export interface Summary {
  /** Undefined of v1 agents that did not name themselves. */
  readonly node: string | undefined;
  /** More than one only of v1 agents that said nothing at all. */
  readonly count: number;
  readonly outcome: Outcome;
  /** The service's state when that was asked for and is known, otherwise the outcome. */
  readonly word: string;
  readonly isState: boolean;
  readonly returncode: number | undefined;
  readonly isTimedOut: boolean;
  readonly durationMs: number | undefined;
  /** What was said, the more telling stream first; of a silent node, what is known of it. */
  readonly lines: readonly string[];
  readonly absence: Absence | undefined;
  readonly isSilent: boolean;
}

const silence = {
  count: 1,
  isState: false,
  returncode: undefined,
  isTimedOut: false,
  durationMs: undefined,
  absence: undefined,
  isSilent: true,
} as const;

export function summaryOf(answer: Answer): Summary {
  const outcome = outcomeOfAnswer(answer);
  if (isServiceAnswer(answer)) return summaryOfService(answer, outcome);
  const node = answer.node === undefined ? undefined : printable(answer.node);
  return { ...silence, node, outcome, word: outcome, lines: printableLines(answer.msg), isSilent: false };
}

/** A node that did not answer. `isRolling`: it may still have its turn. */
export function summaryOfSilent(
  { node, outcome }: NodeOutcome,
  absence: Absence | undefined,
  isRolling = false,
): Summary {
  const known = absence === undefined ? undefined : absenceText([absence]);
  const soFar = isRolling && outcome === 'no-answer' ? 'not yet' : known;
  const note = outcome === 'ok' ? 'its answer did not arrive' : soFar;
  const lines = note === undefined ? [] : [note];
  return { ...silence, node: printable(node), outcome, word: outcome, lines, absence };
}

/** v1 agents that did not answer, and so have no names. */
export function summaryOfUnnamed(count: number, outcome: Outcome, why: string): Summary {
  return { ...silence, node: undefined, count, outcome, word: outcome, lines: [why] };
}

function summaryOfService(answer: ServiceAnswer, outcome: Outcome): Summary {
  const { node, returncode, state, durationMs, timedOut } = answer.result;
  const isState = state !== undefined && isStatusAnswer(answer);
  return {
    node: printable(node),
    count: 1,
    outcome,
    word: isState ? state : outcome,
    isState,
    returncode,
    isTimedOut: timedOut === true,
    durationMs,
    lines: [...whyUnverified(answer, outcome), ...linesOf(answer, outcome === 'ok' || isState)],
    absence: undefined,
    isSilent: false,
  };
}

// An answer says in `msg` only, and since 2014 in these words, which action it answers. Other actions carry a state
// too, but theirs is not what was asked for.
function isStatusAnswer({ msg }: ServiceAnswer): boolean {
  return msg.startsWith('Executed service status request');
}

/** `stopped after 1 s (running -> stopped, 3 changes, pid 812 -> pid 951)`, and what the health check met with. */
function whyUnverified({ result }: ServiceAnswer, outcome: Outcome): string[] {
  if (outcome !== 'unverified') return [];
  const { verification, health } = result;
  const isUnhealthy = health?.isHealthy === false;
  return [
    ...(verification?.isVerified === false ? [verificationText(verification)] : []),
    ...(isUnhealthy ? [printable(`${health.check}: ${health.detail}`)] : []),
  ];
}

function verificationText({ reason, before, after, pidBefore, pidAfter, changes }: Verification): string {
  const pids = [pidBefore, pidAfter].map((pid) => (pid === undefined ? 'no pid' : `pid ${pid}`));
  const facts = [
    before === undefined ? after : `${before} -> ${after}`,
    ...(changes === 0 ? [] : [changes === 1 ? '1 change' : `${changes} changes`]),
    // Last, because numbers behind a process id are taken for more of them by the groups.
    ...(pidBefore === undefined && pidAfter === undefined ? [] : [pids.join(' -> ')]),
  ].join(', ');
  return reason === undefined ? facts : `${printable(reason)} (${facts})`;
}

function linesOf(answer: ServiceAnswer, isOutFirst: boolean): string[] {
  const { members, ranAs } = answer.result;
  if (members !== undefined) return [membersLine(members, isStatusAnswer(answer))];
  const said = outputLinesOf(answer, isOutFirst);
  if (ranAs === undefined) return said;
  const [first, ...rest] = said;
  const name = `as ${printable(ranAs)}`;
  return [first === undefined ? name : `${name}: ${first}`, ...rest];
}

// What went wrong is on stderr; a status, also that of a stopped service, is on stdout.
function outputLinesOf(answer: ServiceAnswer, isOutFirst: boolean): string[] {
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
