import type { ProcessTable } from '../platform/process-table.ts';
import type { ProcessExit } from '../platform/processes.ts';
import type { ServiceName, State } from '../wire/fields.ts';
import { judge } from './judge.ts';
import { findMainProcess, noPids, type PidEvidence } from './main-pid.ts';
import type { Inspection } from './provider.ts';
import { statusWords } from './status-words.ts';

/** What a script said when it was asked for its status. */
export interface ScriptStatus {
  readonly service: ServiceName;
  readonly exit: ProcessExit;
  /** By the exit code alone. */
  readonly codeSays: State;
  /** The main process that the host's supervisor has written down, where it has. */
  readonly writtenPid?: number | undefined;
}

/** What a service is whose script may not be honest. Without a table, main processes are not known. */
export function inspectionOf(status: ScriptStatus, table?: ProcessTable): Inspection {
  const { codeSays, exit } = status;
  const pids = table === undefined ? noPids : pidsOf(status, table);
  const state = judge({ codeSays, words: statusWords(exit), pids });
  return { state, mainPid: state === 'running' ? pids.main?.pid : undefined };
}

function pidsOf({ service, exit, writtenPid }: ScriptStatus, table: ProcessTable): PidEvidence {
  if (writtenPid === undefined) return findMainProcess(table, service, exit);
  const main = table.find(writtenPid);
  return { main, isNamedOneGone: main === undefined, declaredFile: undefined };
}
