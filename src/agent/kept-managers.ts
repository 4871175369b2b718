import type { Log } from '../platform/log.ts';
import { fingerprintOf } from '../security/fingerprint.ts';
import type { KnownManager } from '../security/known-manager.ts';
import type { Auditor } from '../store/auditor.ts';
import { isServiceManagerError } from '../wire/errors.ts';
import type { AgentSecurity } from './agent-config.ts';

export interface KeptManagersDeps {
  readonly log: Log;
  readonly auditor: Auditor;
}

/**
 * Keeps by which keys managers are known, and tells of it. Where it cannot be kept the agent goes on with the new key all
 * the same; only a later run of it will not know that one.
 */
export function keepingManagers(
  keep: AgentSecurity['keep'],
  { log, auditor }: KeptManagersDeps,
): (manager: KnownManager) => void {
  return (manager) => {
    const { name, key, nextKey } = manager;
    const next = nextKey === undefined ? {} : { next: fingerprintOf({ curve: nextKey }) };
    const fields = { name, fingerprint: fingerprintOf({ curve: key }), ...next };
    if (auditor.strange('manager.key_changed', fields)) log.info('manager.key_changed', fields);
    try {
      keep(manager);
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      log.error('manager.not_kept', { name, error });
    }
  };
}
