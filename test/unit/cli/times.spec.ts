import { expect } from 'chai';
import { ago, momentFormat, rfc3339, span } from '../../../src/cli/times.ts';

describe('times', () => {
  for (const [ms, text] of [
    [0, '0 s'],
    [-5, '0 s'],
    [999, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [3_599_999, '59 min'],
    [3_600_000, '1 h'],
    [172_799_999, '47 h'],
    [172_800_000, '2 d'],
    [86_400_000 * 400, '400 d'],
  ] as const) {
    it(`call ${ms} ms ${text}`, () => {
      expect(span(ms)).to.equal(text);
      expect(ago(ms)).to.equal(`${text} ago`);
    });
  }

  it('are RFC 3339 for programs, and null where no calendar has them', () => {
    expect(rfc3339(Date.UTC(2026, 0, 31, 8))).to.equal('2026-01-31T08:00:00.000Z');
    expect(rfc3339(1e20)).to.equal(null);
  });
});

describe('a moment on the command line', () => {
  const now = Date.UTC(2026, 0, 31, 8);
  const ofText = (text: string) => momentFormat.parse(text)?.(now);

  for (const [text, backMs] of [
    ['90s', 90_000],
    ['30m', 1_800_000],
    ['1h', 3_600_000],
    ['2d', 172_800_000],
    ['1w', 604_800_000],
  ] as const) {
    it(`may be ${text} back from now`, () => expect(ofText(text)).to.equal(now - backMs));
  }

  for (const [text, expected] of [
    ['2026-01-30', Date.UTC(2026, 0, 30)],
    ['2026-01-30T07:30:00Z', Date.UTC(2026, 0, 30, 7, 30)],
    ['2026-01-30t07:30:00.250z', Date.UTC(2026, 0, 30, 7, 30, 0, 250)],
    ['2026-01-30 07:30+01:00', Date.UTC(2026, 0, 30, 6, 30)],
  ] as const) {
    it(`may be ${text}`, () => expect(ofText(text)).to.equal(expected));
  }

  for (const text of [
    '',
    '1',
    'h',
    '1 h',
    '-1h',
    '1y',
    'yesterday',
    '2026',
    '2026-13-01',
    '2026-01-30T07:30:00',
  ]) {
    it(`may not be "${text}"`, () => expect(ofText(text)).to.equal(undefined));
  }
});
