import { expect } from 'chai';
import fc from 'fast-check';
import { cutTo, JoinedOutput, textOf } from '../../../src/provider/output.ts';

const said = (text: string, cutBytes = 0) => ({ text, cutBytes });
const units = fc.string({ unit: fc.constantFrom('a', 'ä', '実', '🙂', '\n'), maxLength: 30 });

describe('an output that is cut', () => {
  it('keeps its beginning, in whole characters, and counts the rest', () => {
    expect(cutTo(4, said('a実実', 5))).to.deep.equal(said('a実', 8));
    expect(cutTo(3, said('a実'))).to.deep.equal(said('a', 3));
  });

  it('stays as it is within the limit', () => {
    expect(cutTo(4, said('a実', 2))).to.deep.equal(said('a実', 2));
  });

  it('never has more bytes than it may, and loses none', () => {
    fc.assert(
      fc.property(units, fc.nat(40), (text, limitBytes) => {
        const cut = cutTo(limitBytes, said(text));
        expect(Buffer.byteLength(cut.text)).to.be.at.most(limitBytes);
        expect(text.startsWith(cut.text)).to.equal(true);
        expect(Buffer.byteLength(cut.text) + cut.cutBytes).to.equal(Buffer.byteLength(text));
        if (cut.cutBytes > 0) expect(limitBytes - Buffer.byteLength(cut.text)).to.be.below(4);
      }),
    );
  });

  it('says so', () => {
    expect(textOf(said('a\n', 7))).to.equal('a\n\n[service-mgr: 7 more bytes were cut]\n');
    expect(textOf(said('a\n'))).to.equal('a\n');
  });
});

describe('outputs that are joined', () => {
  function joined(
    limitBytes: number,
    ...outputs: ReadonlyArray<readonly [heading: string, text: string, cutBytes?: number]>
  ) {
    const all = new JoinedOutput(limitBytes);
    for (const [heading, text, cutBytes] of outputs) all.add(heading, said(text, cutBytes));
    return all.captured;
  }

  it('stand each under its heading, and silent ones not at all', () => {
    expect(joined(100, ['db', 'up\n'], ['app', ''], ['nginx', 'no line end'])).to.deep.equal(
      said('== db ==\nup\n== nginx ==\nno line end\n'),
    );
  });

  it('are cut at the limit of all, and the rest is counted', () => {
    const whole = '== a ==\n12345\n== b ==\n67890\n';
    for (let limitBytes = 0; limitBytes <= whole.length; limitBytes += 1) {
      expect(joined(limitBytes, ['a', '12345'], ['b', '67890'])).to.deep.equal(
        said(whole.slice(0, limitBytes), whole.length - limitBytes),
      );
    }
  });

  it('end where one of them was cut: what comes behind would read as its end', () => {
    expect(joined(100, ['a', '1\n', 5], ['b', '2\n'])).to.deep.equal(said('== a ==\n1\n', 5 + 10));
  });
});
