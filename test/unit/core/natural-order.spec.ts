import { expect } from 'chai';
import fc from 'fast-check';
import { inNaturalOrder } from '../../../src/core/natural-order.ts';

function sorted(...names: string[]) {
  return inNaturalOrder(names, (name) => name);
}

describe('natural order', () => {
  it('counts: web2 comes before web10', () => {
    expect(sorted('web10', 'web2', 'db1', 'web1')).to.deep.equal(['db1', 'web1', 'web2', 'web10']);
  });

  it('counts with every number of a name', () => {
    expect(sorted('rack10-web1', 'rack2-web11', 'rack2-web9')).to.deep.equal([
      'rack2-web9',
      'rack2-web11',
      'rack10-web1',
    ]);
  });

  it('has one order for numbers that differ in padding only', () => {
    expect(sorted('web1', 'web001', 'web01')).to.deep.equal(sorted('web01', 'web1', 'web001'));
  });

  it('compares numbers too long for arithmetic', () => {
    const [small, large] = ['n100000000000000000000000000000001', 'n100000000000000000000000000000002'];
    expect(sorted(large, small)).to.deep.equal([small, large]);
  });

  it('leaves the given list as it is', () => {
    const given = ['b', 'a'];
    inNaturalOrder(given, (name) => name);
    expect(given).to.deep.equal(['b', 'a']);
  });

  it('keeps the order of items with the same name', () => {
    const items = ['b1', 'a1', 'b2', 'a2'].map((text) => ({ name: text.slice(0, 1), text }));
    expect(inNaturalOrder(items, ({ name }) => name).map(({ text }) => text)).to.deep.equal([
      'a1',
      'a2',
      'b1',
      'b2',
    ]);
  });

  it('is one and the same for any names, however they were given', () => {
    const name = fc.oneof(fc.stringMatching(/^[a0-9-]{0,6}$/), fc.string({ unit: 'grapheme', maxLength: 4 }));
    fc.assert(
      fc.property(fc.array(name, { maxLength: 12 }), (names) => {
        const once = sorted(...names);
        expect(sorted(...once)).to.deep.equal(once);
        expect(sorted(...names.toReversed())).to.deep.equal(once);
        expect(once.toSorted()).to.deep.equal(names.toSorted());
      }),
    );
  });
});
