import type { ProcessExit } from '../platform/processes.ts';

/** What a status says in words; undefined when it does not. `no-status`: the script knows no such action. */
export type StatusWords = 'running' | 'not-running' | 'no-status' | undefined;

// The usage of a script that was asked for an action it does not have: LSB, Debian's skeleton, rc.subr(8).
const usage = /^[^:]*\busage:?\s.*\b(?:re)?start\b/im;
const notRunning =
  /\bnot (?:currently )?(?:running|active|started)\b|\bisn't running\b|\bis (?:currently )?(?:stopped|dead|down|inactive)\b|\bdead but\b|\(dead\)|^\W*(?:status:? *)?(?:stopped|dead|inactive|down|crashed)\b/i;
// Not among them is the `status: started` of openrc-run(8): that it was started is written down, and not looked at.
const running =
  /\b(?:is|are) (?:already |currently |still )?(?:running|up|active|alive)\b|\(running\)|\brunning[ ,]+(?:\(|as |with |process |pid)|^\W*(?:status:? *)?running\b|\bstart\/running\b/i;

const longestText = 16_384;
const longestLine = 500;

/** The first line that says one or the other counts: what comes behind may be a log. */
export function statusWords(exit: ProcessExit): StatusWords {
  for (const line of linesOf(exit)) {
    if (usage.test(line)) return 'no-status';
    if (notRunning.test(line)) return 'not-running';
    if (running.test(line)) return 'running';
  }
  return undefined;
}

/** `(pid 123)`, `(pid  12 34) is running...`, `is running as pid 12 34.`, `Main PID: 12 (nginx)`, `process 123`. */
const namedPids = /\b(?:pids?|process)[ :=#]*((?:[1-9][0-9]{0,9}\b[ ,]*)+)/i;

// systemctl(1) also names processes that have done their part: `Process: 12 ExecReload=...`, `Main PID: 12 (code=exited`.
const mainPid = /^\s*Main PID: \d+ \((?!code=)/;

/** The processes that a status names as those of a service that runs. */
export function pidsInWords(exit: ProcessExit): number[] {
  const lines = linesOf(exit).filter(
    (line) => (running.test(line) && !notRunning.test(line)) || mainPid.test(line),
  );
  const named = lines.map((line) => namedPids.exec(line)?.[1]).find((pids) => pids !== undefined) ?? '';
  return named
    .split(/[ ,]+/)
    .filter((word) => word !== '')
    .map(Number);
}

function linesOf({ stdout, stderr }: ProcessExit): string[] {
  return [stdout.text, stderr.text].flatMap((text) =>
    text
      .slice(0, longestText)
      .split('\n')
      .map((line) => line.slice(0, longestLine)),
  );
}
