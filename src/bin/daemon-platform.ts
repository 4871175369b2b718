import { resolve } from 'node:path';
import process from 'node:process';
import { type DaemonDeps, type DaemonProgram, runDaemon } from '../cli/daemon.ts';
import type { DaemonHome, PolicyHome } from '../cli/daemon-home.ts';
import { readPolicyFile } from '../config/policy-file.ts';
import { nodeClock } from '../platform/node/clock.ts';
import { NodeLauncher, starterOf } from '../platform/node/daemonize.ts';
import { nodeFiles } from '../platform/node/files.ts';
import { NodeKeyFiles } from '../platform/node/key-files.ts';
import { openLog } from '../platform/node/log.ts';
import { openNotify } from '../platform/node/notify.ts';
import { NodePidFiles } from '../platform/node/pid-file.ts';
import { hangUp, onSignal, untilSignal } from '../platform/node/signals.ts';
import { NodeTerminal } from '../platform/node/terminal.ts';
import { ZmqSockets } from '../platform/zmq/sockets.ts';
import { lockFile } from '../store/process-lock.ts';

/** Those of this process. */
export const sockets = new ZmqSockets();
export const keyFiles = new NodeKeyFiles();

/** Runs a daemon on the real platform, and ends this process with its exit code. */
export function runAsProcess<Home extends DaemonHome>(program: DaemonProgram<Home>): void {
  const exitCode = runDaemon(process.argv.slice(2), program, daemonPlatform());
  // An unexpected error rejects, is shown by Node.js and ends the program with exit code 1.
  exitCode.then((code) => process.exit(code));
}

export function policyHome(file: string, extraActions?: readonly string[]): PolicyHome {
  return {
    file,
    read: () => (keyFiles.exists(file) ? readPolicyFile(keyFiles, file, extraActions) : undefined),
  };
}

function daemonPlatform(): DaemonDeps {
  return {
    terminal: new NodeTerminal(process),
    files: nodeFiles,
    clock: nodeClock,
    sockets,
    pidFiles: new NodePidFiles(lockFile),
    launcher: new NodeLauncher(),
    starter: starterOf(process),
    absolutePath: (path) => resolve(path),
    openLog,
    openNotify: (log) =>
      openNotify({
        environment: process.env,
        pid: process.pid,
        onTrouble: (reason) => log.warn('notify.failed', { reason }),
      }),
    hangUp,
    untilSignal: () => untilSignal(['SIGTERM', 'SIGINT']),
    onHangup: (run) => onSignal('SIGHUP', run),
  };
}
