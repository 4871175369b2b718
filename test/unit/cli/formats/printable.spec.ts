import { expect } from 'chai';
import { printable, printableJson, printableLines } from '../../../../src/cli/formats/printable.ts';
import { hostileText, terminalControls } from '../../../fakes/answers.ts';

describe('printable text', () => {
  it('shows controls as hex', () => {
    expect(printable(hostileText)).to.equal(
      '\\x1b[31mred\\x1b[2J\\x9b1A\\x1b]0;title\\x07\\x00\\x7f\\u{202e}gnp.exe',
    );
  });

  it('shows line ends, separators and lone surrogates as hex', () => {
    expect(printable('a\nb\rc\td\u2028e\ud800f')).to.equal('a\\x0ab\\x0dc\\x09d\\u{2028}e\\u{d800}f');
  });

  it('keeps letters of all languages and emoji', () => {
    expect(printable('Müller läuft, 実行中 🚀')).to.equal('Müller läuft, 実行中 🚀');
  });

  it('has no control in it for any of the first 65,536 characters', () => {
    const all = String.fromCharCode(...Array.from({ length: 0xffff }, (_, code) => code));
    expect(printable(all)).not.to.match(terminalControls);
    expect(printable(all)).not.to.include('\n');
  });

  it('has the lines that say something', () => {
    expect(printableLines('\r\n  a \t b\r\n\n \t\nc\rd\u001b[0m\n')).to.deep.equal([
      'a b',
      'c\\x0dd\\x1b[0m',
    ]);
  });
});

describe('printable JSON', () => {
  it('escapes what JSON leaves raw and still means the same', () => {
    const json = printableJson(JSON.stringify({ text: hostileText }));
    expect(json).to.include('\\u009b1A').and.to.include('\\u007f\\u202egnp');
    expect(json).not.to.match(terminalControls);
    expect(JSON.parse(json)).to.deep.equal({ text: hostileText });
  });

  it('leaves ordinary text as it is', () => {
    const json = JSON.stringify('Müller 実行中 🚀');
    expect(printableJson(json)).to.equal(json);
  });
});
