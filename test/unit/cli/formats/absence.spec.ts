import { expect } from 'chai';
import { absenceText } from '../../../../src/cli/formats/absence.ts';

const absent = (lastSeenAgoMs: number, hasLeft?: true) => ({
  node: 'web1',
  lastSeenAgoMs,
  ...(hasLeft === undefined ? {} : { hasLeft }),
});

describe('since when nodes are not there', () => {
  for (const [absences, text] of [
    [[], ''],
    [[absent(185_000)], 'last seen 3 min ago'],
    [[absent(7_300_000, true)], 'left 2 h ago'],
    [[absent(185_000), absent(200_000)], 'last seen 3 min ago'],
    [[absent(7_200_000), absent(185_000)], 'last seen 3 min to 2 h ago'],
    [[absent(60_000, true), absent(185_000, true)], 'left 1 to 3 min ago'],
    [[absent(60_000), absent(60_000, true)], 'last seen 1 min ago'],
  ] as const) {
    it(`is told as "${text}"`, () => expect(absenceText(absences)).to.equal(text));
  }
});
