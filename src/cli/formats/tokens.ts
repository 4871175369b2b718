import type { TokenInfo } from '../../wire/admin.ts';
import { rfc3339, span } from '../times.ts';
import { layoutOf, lineOf, padded } from './columns.ts';
import { printable, printableJson } from './printable.ts';

const head = ['ID', 'ROLE', 'NAME', 'USES', 'GOOD FOR'];

/** As they come; nothing at all without tokens. */
export function formatTokensTable(tokens: readonly TokenInfo[], nowWallMs: number): string {
  if (tokens.length === 0) return '';
  const rows = tokens.map(({ id, role, name = '', usesLeft, expiresMs }) =>
    [id, role, name, String(usesLeft), span(expiresMs - nowWallMs)].map((cell) => printable(cell) || '-'),
  );
  const layout = layoutOf(head, rows);
  return [head, ...rows].map((cells) => lineOf(padded(layout, cells))).join('');
}

export function formatTokensJson(tokens: readonly TokenInfo[]): string {
  const shown = tokens.map((token) => ({ ...token, expires: rfc3339(token.expiresMs) }));
  return `${printableJson(JSON.stringify(shown, null, 4))}\n`;
}
