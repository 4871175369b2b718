import { join } from 'node:path';
import type { Log } from '../platform/log.ts';
import { NodeAppendFiles } from '../platform/node/append-files.ts';
import { nodeClock } from '../platform/node/clock.ts';
import type { AuditHeads } from '../store/audit-heads.ts';
import { AuditTrail } from '../store/audit-trail.ts';

export interface AuditSettings {
  readonly isAudited: boolean;
  readonly auditMaxBytes: number;
}

const usualPartBytes = 32 * 1024 * 1024;

export function auditFileIn(stateDir: string): string {
  return join(stateDir, 'audit.log');
}

/** Undefined: none is to be written. Throws STORE_UNUSABLE. */
export function openAuditLog(
  { isAudited, auditMaxBytes }: AuditSettings,
  stateDir: string,
  heads: AuditHeads,
  log: Log,
): AuditTrail | undefined {
  if (!isAudited) return undefined;
  return AuditTrail.open({
    ...{ files: new NodeAppendFiles(), path: auditFileIn(stateDir), heads, clock: nodeClock, log },
    maxBytes: auditMaxBytes,
    maxPartBytes: Math.min(usualPartBytes, auditMaxBytes / 2),
  });
}
