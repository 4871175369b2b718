import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './temporary-folder.ts';

/** A stand-in for service(8), for `serviceProgram`: one per agent, so that its log tells what this agent acted on. */
export interface ServiceProgram {
  readonly file: string;
  /** `NAME ACTION` of each time it was run, in order. */
  runs(): string[];
}

/** Notes NAME and ACTION, does what `body` says (a line of sh that finds `$1` and `$2`) and succeeds: in about a millisecond. */
export function serviceProgram(body = ':'): ServiceProgram {
  const folder = temporaryFolder();
  const file = join(folder, 'service');
  const log = join(folder, 'runs');
  writeFileSync(log, '');
  writeFileSync(file, `#!/bin/sh\necho "$1 $2" >>'${log}'\n${body}\n`, { mode: 0o755 });
  return { file, runs: () => linesIn(log) };
}

/** The records of a file with one JSON value a line, as the v1 peers write them. */
export function jsonLines(file: string): unknown[] {
  return linesIn(file).map((line) => JSON.parse(line));
}

function linesIn(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}
