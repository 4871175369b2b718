import type { Clock } from '../platform/clock.ts';
import { Closing } from '../platform/closing.ts';
import type { Starter } from '../platform/daemonize.ts';
import type { Files } from '../platform/files.ts';
import type { Log, OpenLog } from '../platform/log.ts';
import type { Notify } from '../platform/notify.ts';
import type { PidFiles } from '../platform/pid-file.ts';
import { isServiceManagerError } from '../wire/errors.ts';
import { watch } from './watchdog.ts';

/** A manager or an agent that was started. */
export interface Daemon {
  /** Resolves when it was told to stop through its management socket; rejects when it cannot go on. */
  readonly finished: Promise<void>;
  /** Only those come in whom it knows. */
  readonly isSecure: boolean;
  /**
   * Takes over what can change at run time, and resolves to the keys of which the new values wait for the next start.
   * Rejects with BAD_CONFIG, and keeps all that it had, when something in the file is wrong.
   */
  reload(source: ConfigSource): Promise<readonly string[]>;
  /** True when its loops have done something since the last call. */
  hasProgressed(): boolean;
  /** A line on how it is, for the service manager of the host. */
  summary(): string;
  close(): Promise<void>;
}

/** A configuration file that was read. */
export interface ConfigSource {
  readonly text: string;
  readonly file: string;
}

export interface Startable {
  readonly shutdownCommand: string;
  /** Reads the configuration and starts. Rejects with BAD_CONFIG, STORE_UNUSABLE or ENDPOINT_UNUSABLE. */
  start(config: ConfigSource, log: OpenLog): Promise<Daemon>;
}

export interface RunDeps {
  readonly files: Files;
  readonly clock: Clock;
  readonly pidFiles: PidFiles;
  readonly starter: Starter;
  openLog(options: { name: string; file: string | undefined; debug: boolean }): OpenLog;
  openNotify(log: Log): Notify;
  /** Resolves when the system asks the program to stop. */
  untilSignal(): Promise<string>;
  /** Calls `run` whenever the system tells the program to reopen its log and read its configuration again. */
  onHangup(run: () => void): void;
}

export interface ServeOptions {
  readonly configFile: string;
  /** Undefined: standard error. */
  readonly logFile: string | undefined;
  /** Undefined: none. */
  readonly pidFile: string | undefined;
  readonly isDebug: boolean;
}

/** Starts a daemon and resolves when it has stopped. Rejects when it could not start, or could not go on. */
export async function serveUntilStopped(
  options: ServeOptions,
  program: Startable & { readonly name: string },
  deps: RunDeps,
): Promise<void> {
  const signalled = deps.untilSignal();
  // Before anything else: a hangup that nobody waits for ends a program.
  let reload = () => {};
  deps.onHangup(() => reload());
  const { configFile: file, logFile, pidFile, isDebug } = options;
  const text = deps.files.readText(file);
  await using closing = new Closing();
  if (pidFile !== undefined) closing.add(await deps.pidFiles.take(pidFile));
  const log = closing.add(deps.openLog({ name: program.name, file: logFile, debug: isDebug }));
  const daemon = closing.add(await started(program, { text, file }, log));
  const notify = deps.openNotify(log);
  const reloading = new Promise<never>((_, fail) => {
    let last = Promise.resolve();
    reload = () => {
      last = last.then(() => rereadAll(file, daemon, log, notify, deps));
      last.catch(fail);
    };
  });
  if (!daemon.isSecure)
    log.warn('security.none', {
      warning: 'there is no access control: whoever reaches these ports may use them',
    });
  if (!(await deps.starter.ready())) return log.error('daemon.abandoned', { reason: 'its starter is gone' });
  void notify.send('READY=1', `STATUS=${daemon.summary()}`);
  closing.add({ close: watch(daemon, { ...deps, log, notify }) });
  const reason = await Promise.race([signalled, daemon.finished, reloading]);
  reload = () => {};
  log.info('daemon.stopping', { reason: reason ?? program.shutdownCommand });
  void notify.send('STOPPING=1');
}

async function started(program: Startable, source: ConfigSource, log: OpenLog): Promise<Daemon> {
  try {
    return await program.start(source, log);
  } catch (error) {
    if (isServiceManagerError(error)) log.error('daemon.not_started', { error });
    throw error;
  }
}

async function rereadAll(
  file: string,
  daemon: Daemon,
  log: OpenLog,
  notify: Notify,
  { files }: RunDeps,
): Promise<void> {
  void notify.send('RELOADING=1');
  await orKeep(log, 'log.not_reopened', () => log.reopen());
  await orKeep(log, 'config.refused', async () => {
    const keys = await daemon.reload({ text: files.readText(file), file });
    log.info('config.reloaded', { file });
    if (keys.length > 0) log.warn('config.needs_restart', { keys });
  });
  void notify.send('READY=1', `STATUS=${daemon.summary()}`);
}

/** What cannot be renewed stays as it was. */
async function orKeep(log: Log, event: string, renew: () => Promise<void> | void): Promise<void> {
  try {
    await renew();
  } catch (error) {
    if (!isServiceManagerError(error)) throw error;
    log.error(event, { error });
  }
}
