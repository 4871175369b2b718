import { expect } from 'chai';
import fc from 'fast-check';
import { canonicalJson, type Json } from '../../../src/security/canonical-json.ts';

describe('canonical JSON', () => {
  it('has sorted fields, no blanks and ASCII only', () => {
    const value = { b: 1, a: ['ä', true, null], B: { '2': 'x', '10': '\u202e\u007f\n' } };
    expect(canonicalJson(value)).to.equal(
      '{"B":{"10":"\\u202e\\u007f\\n","2":"x"},"a":["\\u00e4",true,null],"b":1}',
    );
  });

  it('is JSON of the same value, and the same text in whatever order its fields were', () => {
    const values = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as Json);
    fc.assert(
      fc.property(values, (value) => {
        const text = canonicalJson(value);
        expect(text).to.match(/^[\x20-\x7e]*$/);
        expect(JSON.parse(text)).to.deep.equal(value);
        expect(canonicalJson(reversed(value))).to.equal(text);
      }),
    );
  });
});

function reversed(value: Json): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toReversed());
}
