import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { targetLimits } from '../../src/core/target.ts';
import { parseTarget } from '../../src/core/target-parser.ts';
import { formatTarget } from '../../src/core/target-text.ts';
import { isServiceManagerError } from '../../src/wire/errors.ts';

const page = readFileSync(new URL('../../docs/TARGETS.md', import.meta.url), 'utf8');

function section(title: string): string {
  return page.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
}

function problem(text: string): string {
  try {
    parseTarget(text);
    return 'none';
  } catch (error) {
    if (!isServiceManagerError(error)) throw error;
    return error.message;
  }
}

describe('docs/TARGETS.md', () => {
  const examples = Array.from(section('Examples').matchAll(/^\| `(.+?)` \|/gm), ([, target = '']) => target);

  it('has examples', () => expect(examples).to.have.length.above(8));

  for (const example of examples) {
    it(`has an example that is a target in its shortest form: ${example}`, () => {
      expect(formatTarget(parseTarget(example))).to.equal(example);
    });
  }

  it('says how strongly each operator binds', () => {
    const [, short = '', long = ''] = /So `(.+)` is `(.+)`\./.exec(section('Grammar')) ?? [];
    expect(short).to.not.equal('');
    expect(formatTarget(parseTarget(long))).to.equal(short);
  });

  it('shows an error as it is', () => {
    const [, shown = ''] = /```\n([\s\S]+?)\n {2}```/.exec(section('Errors')) ?? [];
    const lines = shown.split('\n').map((line) => line.slice(2));
    expect(problem(lines[1] ?? '')).to.equal(lines.join('\n'));
  });

  it('has each limit', () => {
    const shown = Array.from(section('Limits').matchAll(/\| ([\d,]+) \|$/gm), ([, number = '']) =>
      Number(number.replaceAll(',', '')),
    );
    expect(shown).to.include.members(Object.values(targetLimits));
  });
});
