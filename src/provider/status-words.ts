import type { ProcessExit } from '../platform/processes.ts';

/** What a status says in words; undefined when it does not. `no-status`: the script knows no such action. */
export type StatusWords = 'running' | 'not-running' | 'no-status' | undefined;

// The usage of a script that was asked for an action it does not have: LSB, Debian's skeleton, rc.subr(8).
const usage = /^[^:]*\busage:?\s.*\b(?:re)?start\b/im;
const notRunning =
  /\bnot (?:currently )?(?:running|active|started)\b|\bisn't running\b|\bis (?:currently )?(?:stopped|dead|down|inactive)\b|\bdead but\b|\(dead\)|^\W*(?:status:? *)?(?:stopped|dead|inactive|down)\b/i;
const running =
  /\b(?:is|are) (?:already |currently |still )?(?:running|up|active|alive)\b|\(running\)|\brunning[ ,]+(?:\(|as |with |process )|^\W*(?:status:? *)?running\b|\bstart\/running\b/i;

const longestText = 16_384;
const longestLine = 500;

/** The first line that says one or the other counts: what comes behind may be a log. */
export function statusWords(exit: ProcessExit): StatusWords {
  for (const longLine of textOf(exit).split('\n')) {
    const line = longLine.slice(0, longestLine);
    if (usage.test(line)) return 'no-status';
    if (notRunning.test(line)) return 'not-running';
    if (running.test(line)) return 'running';
  }
  return undefined;
}

/** `(pid 123)`, `(pid  12 34) is running...`, `is running as pid 12 34.`, `Main PID: 12 (nginx)`, `process 123`. */
const namedPids = /\b(?:pids?|process)[ :=#]*((?:[1-9][0-9]{0,9}\b[ ,]*)+)/i;

/** The processes that a status names. */
export function pidsInWords(exit: ProcessExit): number[] {
  const named = namedPids.exec(textOf(exit))?.[1] ?? '';
  return named
    .split(/[ ,]+/)
    .filter((word) => word !== '')
    .map(Number);
}

function textOf({ stdout, stderr }: ProcessExit): string {
  return `${stdout.text.slice(0, longestText)}\n${stderr.text.slice(0, longestText)}`;
}
