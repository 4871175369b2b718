import type { SecurityMode } from './exposure.ts';
import { type Format, type Key, optionalKey } from './key.ts';
import { byteSize, oneOf } from './values.ts';

// What [security] has in more than one file.

export function securityKey<T>(
  key: string,
  format: Format<T>,
  fallback: string | undefined,
  summary: string,
): Key<T> {
  return optionalKey(key, format, fallback, summary, 'security');
}

export function modeKey(summary: string): Key<SecurityMode> {
  return securityKey('mode', oneOf(['curve', 'none']), undefined, summary);
}

export const allowInsecureKey = securityKey(
  'allow_insecure',
  oneOf(['yes', 'no']),
  'no',
  'Whether mode = none may go with endpoints beyond this host, where everybody may then listen and give orders.',
);

export const auditKey = securityKey(
  'audit',
  oneOf(['yes', 'no']),
  'yes',
  'Whether every request, refusal and change of keys is written to the audit log.',
);

export function auditMaxBytesKey(fallback: string): Key<number> {
  return securityKey(
    'audit_max_bytes',
    byteSize(1024 * 1024, 1024 ** 4),
    fallback,
    'The oldest parts of the audit log are removed when all of them together take more than this.',
  );
}
