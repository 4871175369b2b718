import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { ServiceManagerError } from '../../wire/errors.ts';
import type { Launch, Launcher, Starter } from '../daemonize.ts';

/** Set for a program that was launched: others may have a channel too, to somebody who expects something else. */
const mark = 'SERVICE_MGR_LAUNCHED';

type News = { readonly isReady: true } | { readonly reason: string };

export interface NodeLauncherOptions {
  /** The program and what it needs before its own arguments. Default: this program. */
  readonly command?: readonly string[];
}

export class NodeLauncher implements Launcher {
  readonly #command: readonly string[];

  constructor({ command }: NodeLauncherOptions = {}) {
    this.#command = command ?? [process.execPath, ...process.execArgv, process.argv[1] ?? ''];
  }

  async launch(args: readonly string[], logFile: string): Promise<Launch> {
    const log = openForErrors(logFile);
    try {
      return await this.#launch(args, log, logFile);
    } finally {
      closeSync(log);
    }
  }

  async #launch(args: readonly string[], log: number, logFile: string): Promise<Launch> {
    const [file = '', ...before] = this.#command;
    const child = spawn(file, [...before, ...args], {
      cwd: '/',
      detached: true,
      env: { ...process.env, [mark]: '1' },
      stdio: ['ignore', 'ignore', log, 'ipc'],
    });
    let reason: string | undefined;
    const ready = new Promise<Launch>((resolve) => {
      child.on('message', (news: News) => {
        if ('isReady' in news) resolve({ isReady: true, pid: child.pid ?? 0 });
        else reason = news.reason;
      });
    });
    const ended = endOf(child).then(({ exitCode, how }): Launch => {
      return { isReady: false, exitCode, reason: reason ?? `${how} before it was ready; see ${logFile}` };
    });
    const launch = await Promise.race([ready, ended]);
    child.unref();
    if (child.connected) child.disconnect();
    return launch;
  }
}

function endOf(child: ChildProcess): Promise<{ exitCode: number; how: string }> {
  return new Promise((resolve) => {
    // `close` comes after the last message, `exit` may come before.
    child.once('close', (code, signal) => {
      if (signal !== null) resolve({ exitCode: 128 + constants.signals[signal], how: `ended by ${signal}` });
      // An end without an error is one all the same for who wanted a daemon.
      else resolve({ exitCode: code || 1, how: `ended with exit code ${code}` });
    });
  });
}

function openForErrors(file: string): number {
  try {
    mkdirSync(dirname(file), { recursive: true });
    return openSync(file, 'a', 0o640);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ServiceManagerError('BAD_CONFIG', `the log file ${file} cannot be written: ${reason}`, {
      cause,
    });
  }
}

/** The one who launched this process, if anybody did. What we run ourselves does not learn of it. */
export function starterOf(program: NodeJS.Process): Starter {
  const isLaunched = program.env[mark] !== undefined && program.send !== undefined;
  delete program.env[mark];
  const tell = (news: News) =>
    new Promise<boolean>((resolve) => {
      if (!program.connected) return resolve(false);
      program.send?.(news, undefined, undefined, (error) => resolve(error === null));
    });
  return {
    async ready() {
      if (!isLaunched) return true;
      const isHeard = await tell({ isReady: true });
      if (program.connected) program.disconnect();
      return isHeard;
    },
    async failed(reason) {
      if (isLaunched) await tell({ reason });
      return isLaunched;
    },
  };
}
