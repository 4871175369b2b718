import { expect } from 'chai';
import { cutTo, layoutOf, lineOf, padded, takenBy, widthOf } from '../../../../src/cli/formats/columns.ts';

describe('columns', () => {
  for (const [text, width] of [
    ['', 0],
    ['web~', 4],
    ['Müller', 6],
    ['e\u0301', 1],
    ['実行', 4],
    ['🚀', 2],
  ] as const) {
    it(`count ${JSON.stringify(text)} as ${width}`, () => expect(widthOf(text)).to.equal(width));
  }

  it('are as wide as their widest cell, numbers to the right', () => {
    const layout = layoutOf(['A', 'NUMBER'], [['実行', '7']], (column) => column === 1);
    expect(padded(layout, ['x', '12'])).to.deep.equal(['x   ', '    12']);
    expect(takenBy(layout)).to.equal(14);
  });

  it('have no blanks at the end of a line', () => expect(lineOf(['a ', '  '])).to.equal('a\n'));

  it('are cut where they do not fit', () => {
    expect(cutTo(4, 'abcd')).to.equal('abcd');
    expect(cutTo(4, 'abcde')).to.equal('a...');
    expect(cutTo(6, '実行実行')).to.equal('実...');
  });
});
