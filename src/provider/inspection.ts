import type { ProcessTable } from '../platform/process-table.ts';
import type { ProcessExit } from '../platform/processes.ts';
import type { ServiceName, State } from '../wire/fields.ts';
import { judge } from './judge.ts';
import { findMainProcess, noPids } from './main-pid.ts';
import type { Inspection } from './provider.ts';
import { statusWords } from './status-words.ts';

/** What a script said when it was asked for its status. */
export interface ScriptStatus {
  readonly service: ServiceName;
  readonly exit: ProcessExit;
  /** By the exit code alone. */
  readonly codeSays: State;
}

/** What a service is whose script may not be honest. Without a table, main processes are not known. */
export function inspectionOf({ service, exit, codeSays }: ScriptStatus, table?: ProcessTable): Inspection {
  const pids = table === undefined ? noPids : findMainProcess(table, service, exit);
  const state = judge({ codeSays, words: statusWords(exit), pids });
  return { state, mainPid: state === 'running' ? pids.main?.pid : undefined };
}
