import { main } from '../../src/cli/main.ts';
import type { Files } from '../../src/platform/files.ts';
import type { CurveKeys } from '../../src/security/keys.ts';
import { ServiceManagerError } from '../../src/wire/errors.ts';
import { MemoryKeyFiles } from './memory-key-files.ts';
import { RecordedTerminal, type RecordedTerminalOptions } from './recorded-terminal.ts';
import { type Script, ScriptedManager } from './scripted-manager.ts';

export interface Run {
  readonly code: number;
  readonly out: string;
  readonly error: string;
  readonly manager: ScriptedManager;
}

export interface RunOptions {
  readonly terminal?: RecordedTerminalOptions;
  /** Path -> text. */
  readonly files?: Readonly<Record<string, string>>;
  /** Where keys and joined managers are kept: in `/home/alice/.config/service-mgr`. */
  readonly keyFiles?: MemoryKeyFiles;
  /** The keys of the manager, where it has security. */
  readonly managerKeys?: CurveKeys;
  /** What happens while the program runs. It ends when this has ended, unless it ends by itself. */
  readonly meanwhile?: (running: Running) => Promise<void>;
  readonly startedMs?: number;
  /** Where the clock stands when `main` is called. Default 0. */
  readonly nowMs?: number;
}

export interface Running {
  readonly manager: ScriptedManager;
  readonly terminal: RecordedTerminal;
  /** Ctrl-C. */
  interrupt(): void;
}

const configFolder = '/home/alice/.config';

/** Runs service-mgr-client against a scripted manager to its end. */
export async function runClient(
  argv: readonly string[],
  script: Script = {},
  {
    terminal: look,
    managerKeys,
    files = {},
    keyFiles = new MemoryKeyFiles(),
    meanwhile,
    startedMs,
    nowMs,
  }: RunOptions = {},
): Promise<Run> {
  const manager = await new ScriptedManager(script, nowMs, managerKeys).start();
  const terminal = new RecordedTerminal(look);
  const interrupt = new AbortController();
  const deps = {
    ...{ terminal, files: filesOf(files), keyFiles, configFolder, userName: 'alice' },
    ...{ interrupted: interrupt.signal, openClient: () => manager.deps },
  };
  const running = main(argv, startedMs === undefined ? deps : { ...deps, startedMs });
  await meanwhile?.({ manager, terminal, interrupt: () => interrupt.abort() });
  const code = await running;
  await manager.close();
  return { code, out: terminal.out, error: terminal.error, manager };
}

function filesOf(texts: Readonly<Record<string, string>>): Files {
  return {
    exists: (path) => Object.hasOwn(texts, path),
    readText: (path) => {
      const text = texts[path];
      if (text === undefined) throw new ServiceManagerError('BAD_CONFIG', `cannot read ${path}`);
      return text;
    },
    makeFolder: () => {},
  };
}
