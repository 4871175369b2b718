import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const top = fileURLToPath(new URL('../../', import.meta.url));
const notOurs = new Set(['node_modules', 'dist', 'coverage', '.git']);

function markdownFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return notOurs.has(entry.name) ? [] : markdownFiles(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

// What stands in backticks or between fences is an example and no link.
const code = /^(```|~~~)[\s\S]*?^\1|`[^`\n]*`/gm;
const inlineLink = /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g;
const referenceLink = /^\[[^\]]+\]:\s*<?([^\s>]+)>?/gm;

/** The targets in this folder tree; without those in the web. */
function relativeLinks(text: string): string[] {
  const prose = text.replace(code, '');
  const targets = [inlineLink, referenceLink].flatMap((pattern) =>
    Array.from(prose.matchAll(pattern), ([, target = '']) => target),
  );
  return targets.filter((target) => !/^[a-z][a-z0-9+.-]*:/i.test(target));
}

/** As a reader's browser makes the name of a heading: `## The ledger` is `#the-ledger`. */
function anchors(text: string): string[] {
  const headings = text.replace(/^(```|~~~)[\s\S]*?^\1/gm, '').matchAll(/^#{1,6} +(.+)$/gm);
  return Array.from(headings, ([, title = '']) =>
    title
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );
}

/** Why the link leads nowhere, if it does. */
function wrongLink(file: string, link: string): string | undefined {
  const [path = '', anchor] = decodeURI(link).split('#');
  const target = path === '' ? file : resolve(dirname(file), path);
  if (relative(top, target).startsWith('..')) return 'leads out of the project';
  if (!existsSync(target)) return 'leads to no file';
  if (anchor === undefined || !target.endsWith('.md')) return undefined;
  return anchors(readFileSync(target, 'utf8')).includes(anchor) ? undefined : 'leads to no heading';
}

describe('the links of the documents', () => {
  const files = markdownFiles(top);

  it('are looked at in all documents', () => {
    const names = files.map((file) => relative(top, file));
    expect(names).to.include.members(['README.md', 'docs/ARCHITECTURE.md', 'docs/adr/0001-wire-format.md']);
  });

  for (const file of files) {
    const name = relative(top, file);
    it(`lead somewhere in ${name}`, () => {
      const wrong = relativeLinks(readFileSync(file, 'utf8')).flatMap((link) => {
        const reason = wrongLink(file, link);
        return reason === undefined ? [] : [`${link} ${reason}`];
      });
      expect(wrong).to.deep.equal([]);
    });
  }

  const readme = join(top, 'README.md');

  it('are found in each form, and not in examples', () => {
    const text =
      '[a](b.md) [c](d.md#e "f")\n[g]: h.md\n`[i](j.md)`\n```\n[k](l.md)\n```\n[m](https://n.example/)';
    expect(relativeLinks(text)).to.deep.equal(['b.md', 'd.md#e', 'h.md']);
  });

  for (const [link, reason] of [
    ['no-such-file.md', 'leads to no file'],
    ['../outside.md', 'leads out of the project'],
    ['CONTRIBUTING.md#no-such-heading', 'leads to no heading'],
  ] as const) {
    it(`may not be ${link}, which ${reason}`, () => {
      expect(wrongLink(readme, link)).to.equal(reason);
    });
  }
});
