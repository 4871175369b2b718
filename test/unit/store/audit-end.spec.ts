import { expect } from 'chai';
import { type AuditHead, auditStart, nextLine } from '../../../src/security/audit-chain.ts';
import { endOf } from '../../../src/store/audit-end.ts';

function chainOf(length: number, from: AuditHead = auditStart, word = 'alice') {
  const lines: string[] = [];
  const heads = [from];
  for (let index = 0; index < length; index += 1) {
    const before = heads.at(-1) ?? from;
    const next = nextLine(before, { timeMs: index, event: 'request.accepted', fields: { word } });
    lines.push(next.line);
    heads.push(next.head);
  }
  return { lines, heads };
}

const { lines, heads } = chainOf(6);
const headAt = (sequence: number): AuditHead => heads[sequence] ?? auditStart;
const verdictOf = (read: readonly string[], saved: AuditHead | undefined): number | string => {
  const { head, fault } = endOf(read.toReversed(), saved);
  if (fault !== undefined && saved !== undefined) expect(head).to.deep.equal(saved);
  return fault ?? head.sequence;
};

describe('the end of an audit log', () => {
  it('is its last line, where that continues the head that was saved', () => {
    expect(endOf(lines.toReversed(), headAt(6))).to.deep.equal({ head: headAt(6) });
    for (const saved of [0, 1, 4, 5, 6]) expect(verdictOf(lines, headAt(saved))).to.equal(6);
  });

  it('is its last line where no head was saved', () => {
    expect(verdictOf(lines, undefined)).to.equal(6);
    expect(verdictOf([], undefined)).to.equal(0);
    expect(verdictOf([], auditStart)).to.equal(0);
  });

  it('is the last line that can be read, where no head was saved and the last one cannot', () => {
    const read = [...lines.slice(0, 3), 'x', 'y'];
    expect(endOf(read.toReversed(), undefined)).to.deep.equal({ head: headAt(3), fault: 'changed' });
    expect(endOf(['x'], undefined)).to.deep.equal({ head: auditStart, fault: 'changed' });
  });

  it('needs no line of the saved head, when the one behind it is there', () => {
    expect(verdictOf(lines.slice(4), headAt(4))).to.equal(6);
    expect(verdictOf(lines.slice(5), headAt(4))).to.equal('dropped');
  });

  it('is found without reading further than to the saved head', () => {
    let read = 0;
    const counted = function* () {
      for (const line of lines.toReversed()) {
        read += 1;
        yield line;
      }
    };
    expect(endOf(counted(), headAt(4))).to.deep.equal({ head: headAt(6) });
    expect(read).to.equal(2);
  });

  const other = chainOf(6, auditStart, 'mallory').lines;
  const fork = chainOf(3, headAt(3), 'mallory').lines;
  const wrong: ReadonlyArray<[what: string, read: readonly string[], saved: number, fault: string]> = [
    ['a last line that is none', [...lines, 'x'], 6, 'changed'],
    ['a line that is none behind the head', [...lines.slice(0, 4), 'x', ...lines.slice(5)], 4, 'changed'],
    ['its end cut off', lines.slice(0, 3), 4, 'truncated'],
    ['all of it cut off', [], 4, 'truncated'],
    ['a line behind the head dropped', [...lines.slice(0, 4), ...lines.slice(5)], 3, 'dropped'],
    ['another line in the place of the head', [...lines.slice(0, 3), ...fork.slice(0, 1)], 4, 'truncated'],
    ['another line in the place of the head, and more', [...lines.slice(0, 3), ...fork], 4, 'rewritten'],
    ['all of it written anew', other, 4, 'rewritten'],
    [
      'a line behind the head written anew',
      [...lines.slice(0, 4), ...fork.slice(1, 2), ...lines.slice(5)],
      3,
      'rewritten',
    ],
  ];
  for (const [what, read, saved, fault] of wrong) {
    it(`is damaged with ${what}`, () => {
      expect(verdictOf(read, headAt(saved))).to.equal(fault);
    });
  }
});
