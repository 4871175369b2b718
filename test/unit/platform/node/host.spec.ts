import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseOsRelease, readHostFacts } from '../../../../src/platform/node/host.ts';

describe('parseOsRelease', () => {
  it('reads the file of a Debian', () => {
    const text = [
      'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"',
      'NAME="Debian GNU/Linux"',
      'VERSION_ID="12"',
      'ID=debian',
      'HOME_URL="https://www.debian.org/"',
      '',
    ].join('\n');
    expect(parseOsRelease(text)).to.deep.equal({
      PRETTY_NAME: 'Debian GNU/Linux 12 (bookworm)',
      NAME: 'Debian GNU/Linux',
      VERSION_ID: '12',
      ID: 'debian',
      HOME_URL: 'https://www.debian.org/',
    });
  });

  const values: [string, string, string][] = [
    ['a bare word', 'rocky', 'rocky'],
    ['nothing', '', ''],
    ['empty quotes', '""', ''],
    ['double quotes', '"two words"', 'two words'],
    ['single quotes', "'two words'", 'two words'],
    ['the other quotes inside', `"it's"`, `it's`],
    ['an equals sign', 'a=b', 'a=b'],
    ['a hash that begins no comment', '"a # b"', 'a # b'],
    ['escapes in double quotes', '"\\$ \\" \\\\ \\`"', '$ " \\ `'],
    ['a backslash that escapes nothing in double quotes', '"a\\d"', 'a\\d'],
    ['a backslash in single quotes', "'a\\$'", 'a\\$'],
    ['an escape without quotes', 'a\\ b', 'a b'],
    ['blanks and a carriage return at the end', '"x"  \r', 'x'],
  ];
  for (const [name, written, value] of values) {
    it(`understands ${name}`, () => {
      expect(parseOsRelease(`NAME=${written}\n`)).to.deep.equal({ NAME: value });
    });
  }

  it('passes over comments and lines that are no assignment', () => {
    const text = '# NAME=x\n#ID=y\nnonsense\n=z\n1A=b\nID="unclosed\nVERSION_ID="a"b"\nNAME=good';
    expect(parseOsRelease(text)).to.deep.equal({ NAME: 'good' });
  });

  it('takes the last of two assignments, as a shell does', () => {
    expect(parseOsRelease('ID=a\nID=b')).to.deep.equal({ ID: 'b' });
  });

  it('takes no name for more than a name', () => {
    const parsed = parseOsRelease('__proto__=x');
    expect(Object.getPrototypeOf(parsed)).to.equal(Object.prototype);
    expect(Object.keys(parsed)).to.deep.equal(['__proto__']);
  });
});

describe('readHostFacts', () => {
  let dir: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'service-mgr-'));
  });

  afterEach(() => rmSync(dir, { recursive: true }));

  it('takes the first os-release that is there', () => {
    writeFileSync(join(dir, 'second'), 'ID=second');
    writeFileSync(join(dir, 'third'), 'ID=third');
    const { osRelease } = readHostFacts(['first', 'second', 'third'].map((name) => join(dir, name)));
    expect(osRelease).to.deep.equal({ ID: 'second' });
  });

  it('knows nothing of the release where there is no file', () => {
    expect(readHostFacts([join(dir, 'none')]).osRelease).to.deep.equal({});
  });

  it('says what uname says', () => {
    const facts = readHostFacts();
    expect(facts.hostname).to.equal(hostname());
    for (const fact of [facts.system, facts.release, facts.version, facts.machine])
      expect(fact).to.not.equal('');
  });
});
