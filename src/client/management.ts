import { ManagementReply, ManagementRequest } from '../wire/management.ts';
import type { Connections } from './connections.ts';
import { askOnce } from './one-question.ts';

export interface ManagementCommand {
  /** `manager.status` */
  readonly cmd: string;
  /** A message of wire/admin.ts. */
  readonly args?: unknown;
}

/** Sends one command to the management socket of a daemon. Rejects as `askOnce` does. */
export function askManagement(
  endpoint: string,
  command: ManagementCommand,
  timeoutMs: number,
  connections: Connections,
): Promise<ManagementReply> {
  const frame = ManagementRequest.encode(command);
  const refusalText = (message: string): string => message;
  return askOnce(endpoint, { frame, reply: ManagementReply, timeoutMs, refusalText }, connections);
}
