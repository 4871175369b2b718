import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { safe } from 'ini';
import { askManagement, isObject, type JsonObject } from './management.ts';
import { startProgram } from './processes.ts';
import type { Exit, Program } from './program.ts';
import { temporaryFolder } from './temporary-folder.ts';

export type Setting = string | number | boolean;
export type Settings = Readonly<Record<string, Setting>>;

export interface DaemonOptions {
  /** More keys of [Default], or other values for those that stand there anyway. */
  readonly settings?: Settings;
  /** More sections: `{ 'bundle:web': { services: 'app, nginx' } }`. */
  readonly sections?: Readonly<Record<string, Settings>>;
  /** State folder; a fresh one when not given. It is kept over `restart()`. */
  readonly stateDir?: string;
  /** More command line, before `start`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** See `ProgramOptions`. */
  readonly within?: readonly string[];
  /** How long the daemon may take to say that it has started. */
  readonly startDeadlineMs?: number;
}

const distFolder = fileURLToPath(new URL('../../../dist/', import.meta.url));
const startDeadlineMs = 10_000;

/** One of our daemons with its config; after `stop()` or `kill()` it can be started again with the same one. */
export abstract class Daemon {
  readonly folder: string;
  readonly stateDir: string;
  readonly configFile: string;
  readonly label: string;
  readonly mgmtEndpoint: string;
  readonly #file: string;
  readonly #startedEvent: string;
  readonly #statusCommand: string;
  readonly #options: DaemonOptions;
  #program: Program | undefined;

  constructor(
    kind: 'manager' | 'agent',
    label: string,
    mgmtEndpoint: string,
    settings: Settings,
    options: DaemonOptions,
    sections: Readonly<Record<string, Settings>> = {},
  ) {
    const name = kind === 'manager' ? 'service-mgrd' : 'service-mgr-agentd';
    this.#file = built(name);
    this.#startedEvent = `${kind}.started`;
    this.#statusCommand = `${kind}.status`;
    this.#options = options;
    this.label = label;
    this.mgmtEndpoint = mgmtEndpoint;
    this.folder = temporaryFolder();
    this.stateDir = options.stateDir ?? join(this.folder, 'state');
    mkdirSync(this.stateDir, { recursive: true });
    this.configFile = join(this.folder, `${name}.conf`);
    const defaults = { ...settings, state_dir: this.stateDir, ...options.settings };
    writeFileSync(this.configFile, iniText({ Default: defaults, ...sections, ...options.sections }));
  }

  get program(): Program {
    if (this.#program === undefined) throw new Error(`${this.label} was never started`);
    return this.#program;
  }

  async start(): Promise<void> {
    if (this.#program?.isRunning === true) throw new Error(`${this.label} is running`);
    const { args = [], env, within = [], startDeadlineMs: deadlineMs = startDeadlineMs } = this.#options;
    const line = [this.#file, ...args, '-f', this.configFile, 'start'];
    this.#program = startProgram(process.execPath, line, {
      ...{ label: this.label, within },
      cwd: this.folder,
      ...(env === undefined ? {} : { env }),
    });
    await this.waitForEvent(this.#startedEvent, deadlineMs);
  }

  stop(signal: NodeJS.Signals = 'SIGTERM', deadlineMs?: number): Promise<Exit> {
    return this.program.stop(signal, deadlineMs);
  }

  kill(): Promise<Exit> {
    return this.program.kill();
  }

  async restart(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.program.isRunning) await this.stop(signal);
    await this.start();
  }

  /** The log records so far. */
  events(name?: string): JsonObject[] {
    const records = this.program.lines.map(logRecord).filter((record) => record !== undefined);
    return name === undefined ? records : records.filter((record) => record['event'] === name);
  }

  /** Resolves with the first log record of that event, from output line `from` on, that `matches`. */
  waitForEvent(
    name: string,
    deadlineMs: number = startDeadlineMs,
    matches: (record: JsonObject) => boolean = () => true,
    from = 0,
  ): Promise<JsonObject> {
    const read = (line: string) => {
      const record = logRecord(line);
      return record?.['event'] === name && matches(record) ? record : undefined;
    };
    return this.program.waitFor(`the log event ${name}`, deadlineMs, read, from);
  }

  /** What the daemon says of itself over its management socket. */
  async status(timeoutMs?: number): Promise<JsonObject> {
    const reply = await askManagement(this.mgmtEndpoint, this.#statusCommand, timeoutMs);
    if (!isObject(reply['result'])) throw new Error(`${this.label}: no status in ${JSON.stringify(reply)}`);
    return reply['result'];
  }
}

/** `SERVICE_MGR_DIST` points the tests at programs built or installed elsewhere. */
export function built(name: string): string {
  const file = join(resolve(process.env['SERVICE_MGR_DIST'] ?? distFolder), `${name}.cjs`);
  if (!existsSync(file)) throw new Error(`${file} is not there: run "npm run build" first`);
  return file;
}

function iniText(sections: Readonly<Record<string, Settings>>): string {
  const lines = Object.entries(sections).flatMap(([section, settings]) => [
    `[${section}]`,
    ...Object.entries(settings).map(([key, value]) => `${key} = ${safe(String(value))}`),
  ]);
  return `${lines.join('\n')}\n`;
}

function logRecord(line: string): JsonObject | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const record: unknown = JSON.parse(line);
    return isObject(record) ? record : undefined;
  } catch {
    return undefined;
  }
}
