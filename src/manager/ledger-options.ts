import type { LedgerOptions } from '../core/ledger.ts';

/** How patient the manager is with its agents. */
export const ledgerOptions: LedgerOptions = {
  firstPauseMs: 1_000,
  longestPauseMs: 10_000,
  cancelGraceMs: 10_000,
  jitter: (node, asked) => spread(`${node}/${asked}`),
};

/** A number from 0 up to 1 that looks random and is the same for the same text. */
function spread(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) / 2 ** 32;
}
