import { expect } from 'chai';
import fc from 'fast-check';
import { readAgentConfig } from '../../../src/config/agent.ts';
import { readClientConfig } from '../../../src/config/client.ts';
import { type FreeSection, optionalKey, requiredKey } from '../../../src/config/key.ts';
import { readManagerConfig } from '../../../src/config/manager.ts';
import { type Check, readSettings } from '../../../src/config/reader.ts';
import { oneOf, wholeNumber } from '../../../src/config/values.ts';
import { isServiceManagerError } from '../../../src/wire/errors.ts';

const digit = wholeNumber(1, 9);
const keys = {
  first: requiredKey('first_number', digit, 'One number.'),
  second: optionalKey('second_number', digit, '2', 'Another number.'),
  colour: optionalKey('colour', oneOf(['red', 'blue']), undefined, 'A colour.', 'looks'),
};

const read = (text: string, checks?: readonly Check[]) =>
  readSettings(text, 'x.conf', Object.values(keys), checks);

function problems(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    if (!isServiceManagerError(error) || error.code !== 'BAD_CONFIG') throw error;
    return error.message.split('\n');
  }
  return [];
}

describe('config reader', () => {
  it('gives the values of the file, and fallbacks for the rest', () => {
    const settings = read('[Default]\nfirst_number = 7\n[looks]\ncolour = red');
    expect([settings.get(keys.first), settings.get(keys.second), settings.find(keys.colour)]).to.deep.equal([
      7,
      2,
      'red',
    ]);
    expect([settings.isWritten(keys.first), settings.isWritten(keys.second)]).to.deep.equal([true, false]);
  });

  it('finds nothing for a key with neither value nor fallback, and does not invent one', () => {
    const settings = read('[Default]\nfirst_number = 7');
    expect(settings.find(keys.colour)).to.equal(undefined);
    expect(problems(() => settings.get(keys.colour))).to.deep.equal([
      'x.conf: [looks] colour is missing, expected red or blue',
    ]);
  });

  for (const [name, text, message] of [
    ['a missing key', '', 'x.conf: [Default] first_number is missing, expected a whole number from 1 to 9'],
    [
      'a bad value',
      '[Default]\n\nfirst_number = 12',
      'x.conf:3: key first_number: value "12", expected a whole number from 1 to 9',
    ],
    [
      'an empty value',
      '[Default]\nfirst_number =',
      'x.conf:2: key first_number: value "", expected a whole number from 1 to 9',
    ],
    [
      'an optional key with a bad value',
      '[Default]\nfirst_number = 1\n[looks]\ncolour = pink',
      'x.conf:4: key colour: value "pink", expected red or blue',
    ],
    [
      'a key given twice',
      '[Default]\nfirst_number = 1\nfirst_number = 1',
      'x.conf:3: key first_number is given twice, first on line 2',
    ],
    [
      'a section given twice',
      '[Default]\nfirst_number = 1\n[looks]\n[Default]',
      'x.conf:4: section [Default] is given twice, first on line 1',
    ],
    [
      'a misspelt key',
      '[Default]\nfirst_number = 1\nsecond_nubmer = 2',
      'x.conf:3: key "second_nubmer" is unknown, did you mean second_number?',
    ],
    [
      'an unknown key',
      '[Default]\nfirst_number = 1\nport = 2',
      'x.conf:3: key "port" is unknown, expected first_number, second_number',
    ],
    [
      'a key in the wrong section',
      '[Default]\nfirst_number = 1\ncolour = red',
      'x.conf:3: key colour is in the wrong section, expected it in [looks]',
    ],
    [
      'a misspelt section',
      '[Default]\nfirst_number = 1\n[look]\ncolour = red',
      'x.conf:3: section "look" is unknown, did you mean looks?',
    ],
    [
      'an unknown section, without its keys',
      '[Default]\nfirst_number = 1\n[security]\na = 1\nb = 2',
      'x.conf:3: section "security" is unknown, expected Default, looks',
    ],
    [
      'keys above all sections, once',
      'first_number = 1\nsecond_number = 1',
      'x.conf:1: key "first_number" is in no section, expected [Default] above it',
    ],
    [
      'a line without =, cut short',
      `[Default]\nfirst_number = 1\n${'x'.repeat(100)}`,
      `x.conf:3: "${'x'.repeat(60)}...", expected [SECTION] alone or KEY = VALUE`,
    ],
    [
      'control characters, escaped',
      '[Default]\nfirst_number = \u001b[31m',
      'x.conf:2: key first_number: value "\\u001b[31m", expected a whole number from 1 to 9',
    ],
    [
      'a header with a comment behind it, once',
      '[Default] ; main\nfirst_number = 1',
      'x.conf:1: "[Default] ; main", expected [SECTION] alone or KEY = VALUE',
    ],
  ] as const) {
    it(`refuses ${name}`, () => {
      expect(problems(() => read(text))).to.deep.equal([message]);
    });
  }

  it('lists every problem in the order of the lines, and what is missing last', () => {
    const found = problems(() =>
      read('[Default]\nsecond_number = x\nwhat\n[looks]\ncolour = pink\nsize = 1'),
    );
    expect(found.map((problem) => problem.split(' ')[0])).to.deep.equal([
      'x.conf:2:',
      'x.conf:3:',
      'x.conf:5:',
      'x.conf:6:',
      'x.conf:',
    ]);
  });

  it('lists what a check over several keys refuses together with the rest', () => {
    const check: Check = (settings) =>
      settings.find(keys.first) === 9 ? [{ key: keys.first, expected: 'anything but 9' }] : [];
    expect(problems(() => read('[Default]\nfirst_number = 9\nwhat', [check]))).to.deep.equal([
      'x.conf:2: key first_number: value "9", expected anything but 9',
      'x.conf:3: "what", expected [SECTION] alone or KEY = VALUE',
    ]);
  });

  it('treats __proto__ and its kin as unknown names, and leaves all objects alone', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    const text = names.map((name) => `[${name}]\npolluted = 1\n[Default]\n${name} = 1\n`).join('');
    expect(problems(() => read(text)).filter((problem) => problem.includes('is unknown'))).to.have.lengthOf(
      8,
    );
    expect(Reflect.get({}, 'polluted')).to.equal(undefined);
  });
});

describe('a section whose keys the admin names', () => {
  const word = { expected: 'a word', parse: (text: string) => (/^[a-z]+$/.test(text) ? text : undefined) };
  const sizes: FreeSection<number> = { section: 'sizes', names: word, values: digit, summary: 'Sizes.' };
  const boxes = { ...sizes, section: 'box:', titles: word };
  const readFree = (text: string) =>
    readSettings(`[Default]\nfirst_number = 1\n${text}`, 'x.conf', Object.values(keys), [], [sizes, boxes]);

  it('gives its values by name', () => {
    const settings = readFree('[sizes]\nsmall = 1\nbig = 9 ; that is big');
    expect([...settings.named(sizes)]).to.deep.equal([
      ['small', 1],
      ['big', 9],
    ]);
  });

  it('is empty where the file has none', () => {
    const settings = readFree('');
    expect(settings.named(sizes).size + settings.titled(boxes).size).to.equal(0);
  });

  it('may come more than once with a title, also empty', () => {
    const titled = readFree('[box:red]\nlid = 2\n[box:blue]').titled(boxes);
    expect([...titled].map(([title, entries]) => [title, ...entries])).to.deep.equal([
      ['red', ['lid', 2]],
      ['blue'],
    ]);
  });

  it('does not mix its keys up with those of the program', () => {
    expect(readFree('[sizes]\ncolour = 3').named(sizes).get('colour')).to.equal(3);
  });

  for (const [name, text, message] of [
    ['a bad name', '[sizes]\nBIG = 1', 'x.conf:4: key "BIG", expected a word'],
    ['__proto__ as a name', '[sizes]\n__proto__ = 1', 'x.conf:4: key "__proto__", expected a word'],
    ['a bad value', '[sizes]\nbig = x', 'x.conf:4: key big: value "x", expected a whole number from 1 to 9'],
    ['a name given twice', '[sizes]\nbig = 1\nbig = 2', 'x.conf:5: key big is given twice, first on line 4'],
    [
      'a title given twice',
      '[box:red]\nlid = 1\n[box:red]',
      'x.conf:5: section [box:red] is given twice, first on line 3',
    ],
    [
      'a bad title, without its keys',
      '[box:RED]\nLID = 1',
      'x.conf:3: section "box:RED": "RED", expected a word',
    ],
    ['a section that is nearly one', '[size]', 'x.conf:3: section "size" is unknown, did you mean sizes?'],
    [
      'a section that is none of them, naming all',
      '[things]',
      'x.conf:3: section "things" is unknown, expected Default, looks, sizes, box:NAME',
    ],
  ] as const) {
    it(`is refused with ${name}`, () => {
      expect(problems(() => readFree(text))).to.deep.equal([message]);
    });
  }
});

describe('config files of random text', () => {
  const names = [
    'Default',
    'actions',
    '__proto__',
    'endpoint',
    'mgmt_endpoint',
    'roles',
    'retries',
    'topics',
  ];
  const lineOf = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(...names).map((name) => `[${name}]`),
    fc
      .tuple(fc.constantFrom(...names), fc.string({ unit: 'binary' }))
      .map(([key, value]) => `${key} = ${value}`),
    fc.constantFrom('endpoint = tcp://a:1', 'retries = 5', "retries = '5'", "topics = '{}'", 'roles[] = web'),
  );
  const anyText = fc.array(lineOf, { maxLength: 12 }).map((lines) => lines.join('\n'));

  for (const [name, readConfig] of Object.entries({ readManagerConfig, readAgentConfig, readClientConfig })) {
    it(`make ${name} throw BAD_CONFIG or nothing`, () => {
      fc.assert(
        fc.property(anyText, (text) => {
          for (const problem of problems(() => readConfig(text, 'x.conf')))
            expect(problem).to.match(/^x\.conf:/);
          expect(Object.keys(Object.prototype)).to.deep.equal([]);
        }),
        { numRuns: 500 },
      );
    });
  }
});
