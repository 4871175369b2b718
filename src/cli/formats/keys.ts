import type { KeyInfo } from '../../wire/admin.ts';
import { ago, rfc3339, span } from '../times.ts';
import { layoutOf, lineOf, padded } from './columns.ts';
import { printable, printableJson } from './printable.ts';

const head = ['NAME', 'ROLE', 'STATE', 'FINGERPRINT', 'ADDRESS', 'BY', 'SINCE', 'NOTE'];

/** As they come; nothing at all without keys. */
export function formatKeysTable(keys: readonly KeyInfo[], nowWallMs: number): string {
  if (keys.length === 0) return '';
  const rows = keys.map((key) => cellsOf(key, nowWallMs).map((cell) => printable(cell) || '-'));
  const layout = layoutOf(head, rows);
  return [head, ...rows].map((cells) => lineOf(padded(layout, cells))).join('');
}

export function formatKeysJson(keys: readonly KeyInfo[]): string {
  return `${printableJson(JSON.stringify(keys.map(withMoments), null, 4))}\n`;
}

/** `accepted: agent web1, SHA256:...` */
export function keyLine(decision: string, { role, name, fingerprint }: KeyInfo): string {
  return `${decision}: ${role} ${name}, ${fingerprint}`;
}

function cellsOf(key: KeyInfo, nowWallMs: number): string[] {
  const { name, role, state, fingerprint, address = '', by = '', sinceMs } = key;
  return [name, role, state, fingerprint, address, by, ago(nowWallMs - sinceMs), noteOf(key, nowWallMs)];
}

function noteOf({ state, untilMs, refusedOthers }: KeyInfo, nowWallMs: number): string {
  const left = untilMs === undefined ? undefined : span(untilMs - nowWallMs);
  const end = state === 'pending' ? `forgotten in ${left}` : `good for ${left} more`;
  const times = refusedOthers === 1 ? 'once' : `${refusedOthers} times`;
  const clones = refusedOthers === 0 ? [] : [`another key wanted the name ${times}: a cloned machine?`];
  return [...(left === undefined ? [] : [end]), ...clones].join('; ');
}

function withMoments(key: KeyInfo) {
  const { sinceMs, decidedMs, untilMs } = key;
  return {
    ...key,
    since: rfc3339(sinceMs),
    ...(decidedMs === undefined ? {} : { decided: rfc3339(decidedMs) }),
    ...(untilMs === undefined ? {} : { until: rfc3339(untilMs) }),
  };
}
