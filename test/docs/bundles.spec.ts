import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { bundleKeys } from '../../src/config/bundles.ts';
import { knownAliases } from '../../src/provider/known-aliases.ts';

const text = readFileSync(new URL('../../docs/BUNDLES.md', import.meta.url), 'utf8');

/** The rows of the table with this head, each cell as the words in backticks that it has. */
function rowsUnder(head: string): string[][][] {
  const [, table = ''] = text.split(`${head}\n`);
  const [rows = ''] = table.split('\n\n');
  const lines = rows.split('\n').slice(1);
  return lines.map((line) => {
    const cells = line.split('|').slice(1, -1);
    return cells.map((cell) => Array.from(cell.matchAll(/`([^`]+)`/g), ([, word = '']) => word));
  });
}

describe('docs/BUNDLES.md', () => {
  it('lists the aliases as they are', () => {
    const groups = rowsUnder('| Debian | RHEL | FreeBSD, where it is a third name |').flatMap((cells) =>
      (cells[0] ?? []).map((_, at) => cells.flatMap((names) => names[at] ?? [])),
    );
    expect(groups).to.have.deep.members(knownAliases.map((names) => [...names]));
  });

  it('lists the keys of a bundle as they are', () => {
    const shown = rowsUnder('| key | default | means |').map(([names]) => names?.[0]);
    expect(shown).to.deep.equal(Object.values(bundleKeys).map(({ key }) => key));
  });
});
