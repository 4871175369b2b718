import { expect } from 'chai';
import fc from 'fast-check';
import { resolveQuantity } from '../../../src/core/quantity.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';

describe('a quantity', () => {
  const examples: ReadonlyArray<[text: string, total: number, atLeastOne: number, down: number]> = [
    ['3', 10, 3, 3],
    ['0', 10, 0, 0],
    ['20', 10, 10, 10],
    ['25%', 10, 2, 2],
    ['29%', 100, 29, 29],
    ['99%', 10, 9, 9],
    ['100%', 7, 7, 7],
    ['10%', 9, 1, 0],
    ['1%', 1, 1, 0],
    ['0%', 10, 0, 0],
    ['10%', 0, 0, 0],
    ['3', 0, 0, 0],
  ];
  for (const [text, total, atLeastOne, down] of examples) {
    it(`of ${text} of ${total} is ${atLeastOne}, and ${down} rounded down`, () => {
      expect(resolveQuantity(text, total, 'at-least-one')).to.equal(atLeastOne);
      expect(resolveQuantity(text, total, 'down')).to.equal(down);
    });
  }

  it('is never more than there is, nor more than the percentage rounded up', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), fc.nat({ max: 10_000 }), (percent, total) => {
        const down = resolveQuantity(`${percent}%`, total, 'down');
        const atLeastOne = resolveQuantity(`${percent}%`, total, 'at-least-one');
        expect(down * 100).to.be.within(percent * total - 99, percent * total);
        expect(atLeastOne).to.equal(percent * total > 0 ? Math.max(1, down) : 0);
      }),
    );
  });

  for (const text of ['', '%', '-1', '1.5', '101%', '5 %', '25%%', 'all', '12345678', ' 1']) {
    it(`is refused when it is ${JSON.stringify(text)}`, () => {
      expect(() => resolveQuantity(text, 10, 'down'))
        .to.throw(ServiceManagerError, `quantity "${text}": expected a number or a percentage such as 25%`)
        .with.property('code', 'BAD_USAGE');
    });
  }
});
