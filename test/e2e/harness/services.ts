import { randomBytes } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { daemonBody, initScript } from './init-script.ts';
import { onCleanUp } from './processes.ts';
import { endProcesses, processesOf } from './service-processes.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface TestService {
  /** `smtest-` and eight hexadecimal digits, and a suffix if it was given one. */
  readonly name: string;
  readonly scriptFile: string;
  /** The actions that were begun, in order. */
  runs(): Promise<string[]>;
  /** Every line of the run log: the actions begun, and for `slow` and `startsSlowly` also `done ACTION`. */
  log(): Promise<string[]>;
  /** Process id of the background daemon while it runs, from the script's pid file. */
  daemonPid(): number | undefined;
  /** Ids of all live processes that the script has started, and of the script itself. */
  processes(): number[];
  /** Takes the script away and ends its processes; `cleanUp()` does it too. Safe to call twice. */
  remove(): Promise<void>;
}

const scriptFolder = '/etc/init.d';
const installed = new Set<string>();

process.once('exit', () => {
  for (const scriptFile of installed) rmSync(scriptFile, { force: true });
});

/** Start, stop, restart and status as LSB wants them, with a daemon in the background and a pid file. */
export function wellBehaved(): TestService {
  return install(daemonBody('</dev/null >/dev/null 2>&1'));
}

/** As `wellBehaved`, but its daemon keeps the standard output and error of `start` open. */
export function keepsPipeOpen(): TestService {
  return install(daemonBody('</dev/null'));
}

/** As `wellBehaved`, but `start` goes on for so long when the daemon is there; then it notes `done start`. For `start` only. */
export function startsSlowly(milliseconds: number): TestService {
  const goOn = `sleep ${wholeNumber(milliseconds) / 1_000}\necho "done $1" >>"$log"`;
  return install(`${daemonBody('</dev/null >/dev/null 2>&1')}\n${goOn}`);
}

/** Every action prints a line and never ends; optionally not on TERM either. */
export function hanging({ ignoresTerm = false } = {}): TestService {
  const trap = ignoresTerm ? "trap '' TERM\n" : '';
  return install(`${trap}echo "$1 hangs"\nexec sleep 2147483`);
}

/** Every action prints exactly so many bytes, in lines, to one stream or that many to each, and succeeds. */
export function printsMuch(bytes: number, to: 'stdout' | 'stderr' | 'both' = 'stdout'): TestService {
  const print = `yes 0123456789abcdefghijklmnopqrstuvwxyz | head -c ${wholeNumber(bytes)}`;
  const lines = { stdout: print, stderr: `${print} >&2`, both: `${print}\n${print} >&2` };
  return install(lines[to]);
}

/** Every action prints `caf`, a lone Latin-1 byte, two bytes that never stand in UTF-8, and ` end`; and succeeds. */
export function invalidUtf8(): TestService {
  return install("printf 'caf\\351 \\377\\376 end\\n'");
}

/** Every action takes so long, then prints a line and succeeds. */
export function slow(milliseconds: number): TestService {
  return install(`sleep ${wholeNumber(milliseconds) / 1_000}\necho "done $1" >>"$log"\necho "$1 done"`);
}

/** Every action prints one line to each stream and ends with this code. */
export function failing(exitCode: number): TestService {
  return install(`echo "$1 tried"\necho "$1 failed" >&2\nexit ${wholeNumber(exitCode)}`);
}

/** With this body, which also finds `$name` and `$hidden` set: a file of its own. It declares a pid file only when it uses it. */
export function scripted(body: string, suffix = ''): TestService {
  const set = `name="$SMTEST_SERVICE"\nfolder="\${log%/*}"\nhidden="$folder/hidden"\n`;
  return install(`${set}${body}`, suffix, body.includes('$pidfile'));
}

function install(body: string, suffix = '', hasPidFile = true): TestService {
  refuseWrongHost();
  const name = `smtest-${randomBytes(4).toString('hex')}${suffix}`;
  const scriptFile = join(scriptFolder, name);
  const folder = temporaryFolder();
  const logFile = join(folder, 'runs');
  const pidFile = join(folder, 'pid');
  writeFileSync(logFile, '');
  installed.add(scriptFile);
  writeFileSync(scriptFile, initScript(name, logFile, hasPidFile ? pidFile : '', body), {
    mode: 0o755,
    flag: 'wx',
  });
  const log = async () => (await readFile(logFile, 'utf8')).split('\n').filter((line) => line !== '');
  const service: TestService = {
    name,
    scriptFile,
    log,
    runs: async () => (await log()).filter((line) => !line.startsWith('done ')),
    daemonPid: () => livePidIn(pidFile, name),
    processes: () => processesOf(name),
    remove: async () => {
      rmSync(scriptFile, { force: true });
      installed.delete(scriptFile);
      await endProcesses(name);
    },
  };
  onCleanUp(service.remove);
  return service;
}

/** The tests of real services are never skipped silently: where they cannot run, they fail and say why. */
function refuseWrongHost(): void {
  const why =
    process.getuid?.() !== 0
      ? 'has to run as root'
      : !existsSync(scriptFolder)
        ? `needs ${scriptFolder}`
        : !isOnPath('service')
          ? 'needs service(8) on PATH'
          : existsSync('/run/systemd/system')
            ? 'needs a host or container without systemd, where service(8) runs the scripts itself'
            : undefined;
  if (why !== undefined) throw new Error(`a test with a real init script ${why}`);
}

function isOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function livePidIn(pidFile: string, name: string): number | undefined {
  const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : Number.NaN;
  return Number.isInteger(pid) && processesOf(name).includes(pid) ? pid : undefined;
}

function wholeNumber(value: number): number {
  if (!Number.isInteger(value) || value < 0) throw new Error(`${value} is not a whole number of at least 0`);
  return value;
}
