import { expect } from 'chai';
import { FieldLines } from '../../../src/security/field-lines.ts';
import { refusalOf } from './refusal.ts';

const fields = ['name', 'key', 'old_key'] as const;
const isWord = (text: string): text is string => /^\w+$/.test(text);

function reading(text: string): FieldLines<(typeof fields)[number]> {
  return new FieldLines(text, 'FILE', fields);
}

/** All problems after this was asked for. */
function problems(text: string, ask: (reader: ReturnType<typeof reading>) => unknown = () => undefined) {
  const refusal = refusalOf(() => {
    const reader = reading(text);
    ask(reader);
    reader.throwProblems();
  });
  expect(refusal.code).to.equal('BAD_CONFIG');
  return refusal.message.split('\n');
}

describe('the lines of a file about keys', () => {
  for (const [what, text] of Object.entries({
    'as they are printed': 'name = web1\nkey = x\n',
    'without blanks, or with many': 'name=web1\n\t key   =\tx  ',
    'with comments and empty lines': '# mine\n\n  ; yours\nname = web1\n \t\nkey = x\n#key = y\n',
    'with a byte order mark and lines of Windows': '\uFEFFname = web1\r\nkey = x\r\n',
    'with lines of old Macs': 'name = web1\rkey = x\r',
    'in another order': 'key = x\nname = web1',
  })) {
    it(`are read ${what}`, () => {
      const reader = reading(text);
      expect([reader.value('name', isWord, 'a word'), reader.value('key', isWord, 'a word')]).to.deep.equal([
        'web1',
        'x',
      ]);
      expect(() => reader.throwProblems()).to.not.throw();
    });
  }

  it('have values with any character but blanks, also "=", "#" and ";"', () => {
    const anything = (text: string): text is string => text.length > 0;
    expect(reading('key = a=b#c;"d\'').value('key', anything, 'a text')).to.equal('a=b#c;"d\'');
  });

  it('may lack what need not be there', () => {
    const reader = reading('name = web1');
    expect(reader.optional('old_key', isWord, 'a word')).to.equal(undefined);
    expect(() => reader.throwProblems()).to.not.throw();
  });

  it('are told what is missing, and what is not good, with file and line', () => {
    const told = problems('\nkey = -\nold_key =\n', (reader) => {
      expect(reader.value('name', isWord, 'a word')).to.equal(undefined);
      expect(reader.value('key', isWord, 'a word')).to.equal(undefined);
      expect(reader.optional('old_key', isWord, 'a word')).to.equal(undefined);
    });
    expect(told).to.deep.equal([
      'FILE: name is missing, expected a word',
      'FILE:2: key is "-", expected a word',
      'FILE:3: old_key is empty, expected a word',
    ]);
  });

  for (const line of [
    'nonsense',
    'nonsense = 1',
    'NAME = web1',
    'name',
    'name = two words',
    '= web1',
    '[name]',
  ]) {
    it(`are none with "${line}", which is not shown: it may be a secret in the wrong place`, () => {
      expect(problems(`# first\n${line}\n`)).to.deep.equal([
        'FILE:2: expected FIELD = VALUE with one of name, key, old_key',
      ]);
    });
  }

  it('have each field once', () => {
    const told = problems('name = web1\nkey = x\nname = web2\n');
    expect(told).to.deep.equal(['FILE:3: name is given twice, first on line 1']);
  });

  it('show short values, and of long ones only how long they are', () => {
    const long = 'x'.repeat(20);
    const never = (_: string): _ is string => false;
    const told = problems(`name = ${long}\nkey = ${long}y`, (reader) => {
      reader.value('name', never, 'nothing');
      reader.value('key', never, 'nothing');
    });
    expect(told).to.deep.equal([
      `FILE:1: name is "${long}", expected nothing`,
      'FILE:2: key is a text of 21 characters, expected nothing',
    ]);
  });

  it('may be refused for a reason of the file', () => {
    const told = problems('\nname = web1\n\nkey = x', (reader) => {
      reader.refuse('key', 'that is the key of somebody else');
      reader.refuse('old_key', 'there has to be one');
      reader.refuseFields(['name', 'old_key'], 'nobody asked');
    });
    expect(told).to.deep.equal([
      'FILE:4: that is the key of somebody else',
      'FILE:1: there has to be one',
      'FILE:2: name is given, but nobody asked',
    ]);
  });

  it('are not read at all when there are too many of them', () => {
    expect(problems('#'.repeat(16_384 + 1))).to.deep.equal([
      'FILE:1: 16385 characters, expected a file of at most 16384',
    ]);
    expect(() => reading('#'.repeat(16_384)).throwProblems()).to.not.throw();
  });
});
