import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Files } from '../../../src/platform/files.ts';
import { nodeFiles } from '../../../src/platform/node/files.ts';
import { processTableUnder } from '../../../src/platform/node/process-table.ts';
import { NodeProcesses } from '../../../src/platform/node/processes.ts';
import type { ProcessTable } from '../../../src/platform/process-table.ts';
import type { Processes } from '../../../src/platform/processes.ts';
import type { Programs } from '../../../src/platform/programs.ts';
import type { Provider } from '../../../src/provider/provider.ts';
import type { State } from '../../../src/wire/fields.ts';
import type { Namespace } from '../../e2e/harness/namespace.ts';
import { onCleanUp } from '../../e2e/harness/processes.ts';
import { temporaryFolder } from '../../e2e/harness/temporary-folder.ts';

/** What a host said when somebody ran its own command. */
export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A host with a provider, and these services, none of which runs at first: `good`; `failing`, whose start fails;
 * `hanging`, whose start never ends.
 */
export interface ServiceHost {
  readonly provider: Provider;
  /** As an admin would have it done. */
  says(service: string, action: string): Promise<Said>;
  /** The processes of `good`, with the ids that the host knows them by. */
  pids(): Promise<number[]>;
  /** Has `good` die of SIGKILL. */
  kill(): Promise<void>;
  /** Whether `good` would be started at boot. */
  isEnabled(): Promise<boolean>;
}

/** What is not the same everywhere. */
export interface Kind {
  readonly name: string;
  /** What its results say of it. */
  readonly providerName: string;
  open(): Promise<ServiceHost>;
  /** What a service is taken for when it has died. */
  readonly afterDeath: State;
  /** How the start of `failing` ends. */
  readonly failure: Said;
  /** Whether the host tells which process is the main one. */
  readonly tellsMainPid: boolean;
  /** Whether its list tells what has failed from what is stopped. */
  readonly marksFailed: boolean;
  /** A service whose status is not UTF-8, where a service words its status itself. */
  readonly foreignBytes?: string;
}

/** Of `good`: whichever way it is started, this is what runs. */
export const mainProcess = '/bin/sleep 2147483';

/** Processes of the inside of a namespace. */
export function processesInside({ enter }: Namespace): Processes {
  const scratchDir = temporaryFolder();
  const processes = new NodeProcesses({ scratchDir });
  onCleanUp(() => processes.close());
  const [nsenter = '', ...rest] = enter;
  return { run: (file, args, options) => processes.run(nsenter, [...rest, file, ...args], options) };
}

/** Processes and pid files of the inside of a namespace. */
export function processTableInside({ root }: Namespace): ProcessTable {
  return processTableUnder(root);
}

/** Files of the inside of a namespace. */
export function filesInside({ root }: Namespace): Files {
  return {
    ...nodeFiles,
    exists: (path) => nodeFiles.exists(join(root, path)),
    readText: (path) => nodeFiles.readText(join(root, path)),
  };
}

export function programsInside({ root }: Namespace): Programs {
  return { isThere: (program) => existsSync(join(root, program)) };
}

export async function pidsInside(namespace: Namespace): Promise<number[]> {
  // Not a zombie, and nobody who only has its name in the command line.
  const { stdout } = await namespace.run(
    'pgrep',
    '--runstates',
    'RSDT',
    '-fx',
    `(/bin/)?${mainProcess.slice(5)}`,
  );
  return stdout.split('\n').filter(Boolean).map(Number);
}

export async function killInside(namespace: Namespace): Promise<void> {
  const pids = await pidsInside(namespace);
  await namespace.run('kill', '-KILL', ...pids.map(String));
}
