import type { LiveProcess, ProcessTable, SmallFile } from '../platform/process-table.ts';
import type { ProcessExit } from '../platform/processes.ts';
import type { ServiceName } from '../wire/fields.ts';
import { pidsInWords } from './status-words.ts';

/** What is known of the main process of a service, beside what its status says of it. */
export interface PidEvidence {
  readonly main: LiveProcess | undefined;
  /** The status itself, or a supervisor, named processes, and none of them runs. */
  readonly isNamedOneGone: boolean;
  /** Of the pid file that the script declares: it names no process that runs, or it is not there. */
  readonly declaredFile: 'stale' | 'missing' | undefined;
}

export const noPids: PidEvidence = { main: undefined, isNamedOneGone: false, declaredFile: undefined };

const scriptFolders = ['/etc/init.d', '/etc/rc.d', '/usr/local/etc/rc.d'];
const pidFolders = ['/run', '/var/run'];
/** Set by openrc-run(8). */
const namesOfTheService: ReadonlySet<string> = new Set(['RC_SVCNAME', 'SVCNAME']);
/** The time of a start is known to the second only. */
const clockGrainMs = 2_000;

/**
 * Looks for the main process: in the pid file that the script declares, else among those that the status names (the
 * oldest), else in /run/NAME.pid or /var/run/NAME.pid. A process that began after the file was written only got the
 * id of the one that is meant: such a file says nothing.
 */
export function findMainProcess(table: ProcessTable, service: ServiceName, status: ProcessExit): PidEvidence {
  const declared = declaredPidFile(table, service);
  const file = declared === undefined ? undefined : table.read(declared);
  const named = pidsInWords(status);
  const candidates = [
    processIn(table, file),
    oldest(named.map((pid) => table.find(pid))),
    ...pidFolders.map((folder) => processIn(table, table.read(`${folder}/${service}.pid`))),
  ];
  return {
    main: candidates.find((candidate) => candidate !== undefined),
    isNamedOneGone: named.length > 0 && named.every((pid) => table.find(pid) === undefined),
    declaredFile: declared === undefined ? undefined : stalenessOf(table, file),
  };
}

/**
 * What start-stop-daemon(8) of OpenRC was told, `# pidfile: /run/x.pid` as chkconfig has it, or the first
 * `PIDFILE=/run/$NAME.pid` that can be read without a shell.
 */
function declaredPidFile(table: ProcessTable, service: ServiceName): string | undefined {
  const told = table.read(`/run/openrc/options/${service}/pidfile`)?.text.trim();
  if (told?.startsWith('/')) return told;
  const script = scriptFolders
    .map((folder) => table.read(`${folder}/${service}`))
    .find((found) => found !== undefined);
  if (script === undefined) return undefined;
  const commented = /^#[ \t]*pidfile:[ \t]*(\/\S+)/im.exec(script.text)?.[1];
  if (commented !== undefined) return commented;
  const written = [...script.text.matchAll(/^[ \t]*pidfile=(\S+)/gim)].map(([, path = '']) => path);
  return written.map((path) => expanded(path, script.text, service)).find((path) => path !== undefined);
}

/** Undefined when it is no absolute path, or needs more of a shell than variables that are set to plain words. */
function expanded(written: string, script: string, service: ServiceName): string | undefined {
  const path = written.replace(/["']/g, '').replace(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced, bare) => {
    const name = String(braced ?? bare);
    if (namesOfTheService.has(name)) return service;
    const value = new RegExp(`^[ \\t]*${name}=["']?([\\w./@:-]+)["']?[ \\t]*$`, 'm').exec(script);
    return value?.[1] ?? whole;
  });
  return /^\/[\w./@:+-]+$/.test(path) ? path : undefined;
}

function processIn(table: ProcessTable, file: SmallFile | undefined): LiveProcess | undefined {
  const found = namedIn(table, file);
  const isYounger = (found?.startedWallMs ?? 0) > (file?.writtenWallMs ?? 0) + clockGrainMs;
  return isYounger ? undefined : found;
}

/** Process ids stand in the first line; more of what is in the file is the program's own. */
function namedIn(table: ProcessTable, file: SmallFile | undefined): LiveProcess | undefined {
  const pid = /^\s*([1-9][0-9]{0,9})(?=\s|$)/.exec(file?.text ?? '')?.[1];
  return pid === undefined ? undefined : table.find(Number(pid));
}

function stalenessOf(table: ProcessTable, file: SmallFile | undefined): 'stale' | 'missing' | undefined {
  if (file === undefined) return 'missing';
  return namedIn(table, file) === undefined ? 'stale' : undefined;
}

function oldest(processes: readonly (LiveProcess | undefined)[]): LiveProcess | undefined {
  const alive = processes.filter((each) => each !== undefined);
  const ageOf = ({ startedWallMs }: LiveProcess) => startedWallMs ?? 0;
  return alive.reduce<LiveProcess | undefined>(
    (first, each) => (first === undefined || ageOf(each) < ageOf(first) ? each : first),
    undefined,
  );
}
