import { join } from 'node:path';
import type { AuditHome } from '../cli/daemon-home.ts';
import type { Log } from '../platform/log.ts';
import { NodeAppendFiles } from '../platform/node/append-files.ts';
import { nodeClock } from '../platform/node/clock.ts';
import { type AuditHeads, FileHeads } from '../store/audit-heads.ts';
import { AuditTrail } from '../store/audit-trail.ts';
import { keyFiles } from './daemon-platform.ts';

export interface AuditSettings {
  readonly isAudited: boolean;
  readonly auditMaxBytes: number;
}

const usualPartBytes = 32 * 1024 * 1024;

export function auditFileIn(stateDir: string): string {
  return join(stateDir, 'audit.log');
}

/** Where an agent keeps how far its log is: it has no database of settings. */
export function fileHeadsIn(stateDir: string): FileHeads {
  return new FileHeads(keyFiles, `${auditFileIn(stateDir)}.head`);
}

/** For the commands that read it; undefined: none is written. */
export function auditHome(
  { isAudited }: AuditSettings,
  stateDir: string,
  storedHead: AuditHome['storedHead'],
): AuditHome | undefined {
  const file = auditFileIn(stateDir);
  return isAudited ? { file, read: () => new NodeAppendFiles().read(file), storedHead } : undefined;
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
