import { type DaemonDeps, runDaemon } from '../../src/cli/daemon.ts';
import type { DaemonHome } from '../../src/cli/daemon-home.ts';
import type { DaemonDescription } from '../../src/cli/daemon-options.ts';
import type { ConfigSource, Startable } from '../../src/cli/serve-until-stopped.ts';
import type { Launch } from '../../src/platform/daemonize.ts';
import { ServiceManagerError } from '../../src/wire/errors.ts';
import type { NodeName } from '../../src/wire/fields.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryPidFiles } from './memory-pid-files.ts';
import { MemorySockets } from './memory-sockets.ts';
import { RecordedLog } from './recorded-log.ts';
import { RecordedNotify } from './recorded-notify.ts';
import { RecordedTerminal } from './recorded-terminal.ts';

/** A daemon without commands of its own. */
export const plainDescription: DaemonDescription<DaemonHome> = {
  ...{ name: 'service-mgrd', summary: '' },
  ...{ statusCommand: 'manager.status', shutdownCommand: 'manager.shutdown' },
  addCommands: () => {},
};

/** A host, and one daemon on it whose configuration is any text without `bad`. */
export class ScriptedDaemon {
  readonly terminal = new RecordedTerminal();
  readonly clock = new ManualClock();
  readonly sockets = new MemorySockets({ clock: this.clock });
  readonly log = new RecordedLog();
  readonly notify = new RecordedNotify(30_000);
  readonly pidFiles = new MemoryPidFiles();
  /** What happened to the daemon. */
  readonly story: string[] = [];
  readonly launches: string[][] = [];
  readonly told: string[] = [];
  /** Undefined: the file cannot be read. */
  text: string | undefined = 'one';
  isThere = true;
  /** What the home of the daemon was opened with. */
  readonly opened: (ConfigSource | undefined)[] = [];
  home: DaemonHome = plainHome;
  /** Processes that were told to read their configuration again. */
  readonly hangUps: number[] = [];
  onHangUp: () => void = () => {};
  launch: Launch = { isReady: true, pid: 2 };
  /** There is somebody who has launched the daemon, and listens; or has gone. */
  starter: 'none' | 'listens' | 'gone' = 'none';
  waitingKeys: readonly string[] = [];
  /** What the daemon does instead of loading a configuration. */
  onReload: () => Promise<void> | void = () => {};
  signal: (name: string) => void = () => {};
  hangUp: () => void = () => {};
  finish: () => void = () => {};
  crash: (error: Error) => void = () => {};

  run(...argv: readonly string[]): Promise<number> {
    const openHome = (source: ConfigSource | undefined) => {
      this.opened.push(source);
      return this.home;
    };
    return runDaemon(argv, { ...plainDescription, ...this.startable, openHome }, this.deps);
  }

  /** Lets what is due happen. */
  settle(): Promise<void> {
    return this.clock.advanceAsync(0);
  }

  /** Whether it lets in only whom it knows. */
  isSecure = false;

  get #text(): string {
    if (this.text === undefined || this.text.includes('bad'))
      throw new ServiceManagerError('BAD_CONFIG', `x.conf: ${this.text ?? 'cannot be read'}`);
    return this.text;
  }

  protected get startable(): Startable {
    return {
      shutdownCommand: 'manager.shutdown',
      start: async ({ text, file }) => {
        this.story.push(`start ${file} ${text}`);
        if (text.includes('taken')) throw new ServiceManagerError('ENDPOINT_UNUSABLE', 'cannot bind');
        const finished = new Promise<void>((resolve, reject) => {
          this.finish = resolve;
          this.crash = reject;
        });
        return {
          finished,
          isSecure: this.isSecure,
          reload: async (source) => {
            await this.onReload();
            this.story.push(`reload ${source.file} ${source.text}`);
            return this.waitingKeys;
          },
          hasProgressed: () => true,
          summary: () => 'fine',
          close: async () => void this.story.push('close'),
        };
      },
    };
  }

  protected get deps(): DaemonDeps {
    return {
      terminal: this.terminal,
      sockets: this.sockets,
      clock: this.clock,
      hangUp: (pid) => {
        this.hangUps.push(pid);
        this.onHangUp();
      },
      files: { exists: () => this.isThere, readText: () => this.#text, makeFolder: () => {} },
      pidFiles: this.pidFiles,
      launcher: {
        launch: async (args, logFile) => {
          this.launches.push([...args, logFile]);
          return this.launch;
        },
      },
      starter: {
        ready: async () => this.starter !== 'gone',
        failed: async (reason) => {
          this.told.push(reason);
          return this.starter !== 'none';
        },
      },
      absolutePath: (path) => (path.startsWith('/') ? path : `/here/${path}`),
      openLog: () => this.log,
      openNotify: () => this.notify,
      untilSignal: () =>
        new Promise((resolve) => {
          this.signal = resolve;
        }),
      onHangup: (run) => {
        this.hangUp = run;
      },
    };
  }
}

const plainHome: DaemonHome = {
  name: 'mgr1' as NodeName,
  managementEndpoint: 'tcp://localhost:1',
  ownKeys: () => undefined,
  policy: { file: '/etc/x.policy', read: () => undefined },
  audit: undefined,
};
