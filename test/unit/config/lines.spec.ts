import { expect } from 'chai';
import fc from 'fast-check';
import { parse } from 'ini';
import { iniLines } from '../../../src/config/lines.ts';

const read = (text: string) => [...iniLines(text)];
const readValue = (raw: string) => read(`[Default]\nkey = ${raw}`)[1];

describe('config lines', () => {
  it('gives the number of every section and key, over blank lines and comments', () => {
    expect(read('# comment\n\n[Default]\n  ; another\n\nretries = 3\n')).to.deep.equal([
      { kind: 'section', line: 3, section: 'Default' },
      { kind: 'entry', line: 6, section: 'Default', key: 'retries', value: '3' },
    ]);
  });

  for (const [name, end] of [
    ['UNIX', '\n'],
    ['Windows', '\r\n'],
    ['old Mac', '\r'],
  ] as const) {
    it(`counts ${name} line ends once`, () => {
      expect(read(`[Default]${end}${end}key = 1`).map(({ line }) => line)).to.deep.equal([1, 3]);
    });
  }

  it('skips a byte order mark', () => {
    expect(read('\uFEFF[Default]')).to.deep.equal([{ kind: 'section', line: 1, section: 'Default' }]);
  });

  for (const [raw, value] of [
    ['plain', 'plain'],
    ['with blanks inside  ', 'with blanks inside'],
    ['before ; comment', 'before'],
    ['before # comment', 'before'],
    ['a\\;b\\#c', 'a;b#c'],
    ['"quoted ; # kept"', 'quoted ; # kept'],
    ['" trimmed "', 'trimmed'],
    ["'single'", 'single'],
    ["'5'", '5'],
    ["'[1]'", '[1]'],
    ['true', 'true'],
    ['null', 'null'],
    ['a = b', 'a = b'],
    ['', ''],
  ] as const) {
    it(`reads the value ${JSON.stringify(raw)} as the text ${JSON.stringify(value)}`, () => {
      expect(readValue(raw)).to.include({ kind: 'entry', value });
    });
  }

  for (const text of [
    'frontend_endpoint',
    'key: value',
    '= value',
    '[Default',
    '[a=b',
    '[Default] ; x',
    ' [Default]',
  ]) {
    it(`calls ${JSON.stringify(text)} unreadable`, () => {
      expect(read(text)).to.deep.equal([{ kind: 'unreadable', line: 1, text: text.trim() }]);
    });
  }

  it('still enters a section whose header is unreadable', () => {
    expect(read('[Default] ; main\nretries = 3')[1]).to.include({ kind: 'entry', section: 'Default' });
  });

  it('has no section for keys above the first one', () => {
    expect(read('retries = 3')[0]).to.include({ kind: 'entry', section: undefined });
  });

  it('agrees with the ini package on every key and value', () => {
    const word = fc.string({ unit: fc.constantFrom(...'ab1"\';#\\.= \t,:'), maxLength: 12 });
    fc.assert(
      fc.property(word, word, (name, value) => {
        const text = `[Default]\n${name}=${value}`;
        const entries = read(text).filter((line) => line.kind === 'entry');
        for (const { key, value: found } of entries) {
          const [givenKey, given] = Object.entries<unknown>(parse(text)['Default'] ?? {})[0] ?? [];
          expect(key).to.equal(givenKey?.trim());
          if (typeof given === 'string') expect(found).to.equal(given.trim());
          else expect(JSON.parse(found)).to.deep.equal(given);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
