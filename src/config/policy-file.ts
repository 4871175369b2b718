import { parseTarget } from '../core/target-parser.ts';
import type { KeyFiles } from '../platform/key-files.ts';
import type { Policy } from '../security/policy.ts';
import { parsePolicy } from '../security/policy-parser.ts';

/**
 * The policy in this file; where there is none, one that takes nothing away from the default. `extraActions`: those that
 * the host knows beside the usual ones; undefined where any name may be one. Throws BAD_CONFIG with all that is wrong.
 */
export function readPolicyFile(
  files: Pick<KeyFiles, 'exists' | 'readPublic'>,
  fileName: string,
  extraActions?: readonly string[],
): Policy {
  if (!files.exists(fileName)) return { rules: [] };
  const checkTarget = (target: string): void => {
    parseTarget(target, 'at');
  };
  return parsePolicy(files.readPublic(fileName), { fileName, checkTarget, extraActions });
}
