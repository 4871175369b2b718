import { expect } from 'chai';
import fc from 'fast-check';
import { type AuditHead, auditLimits, auditStart, nextLine } from '../../../src/security/audit-chain.ts';
import { auditLines } from '../../../src/security/audit-lines.ts';
import { describeAudit, verifyChain } from '../../../src/security/audit-verify.ts';

interface Log {
  readonly lines: string[];
  readonly heads: AuditHead[];
  readonly head: AuditHead;
}

function logOf(length: number, from = auditStart, word = 'alice'): Log {
  const lines: string[] = [];
  const heads = [from];
  let head = from;
  for (let index = 0; index < length; index += 1) {
    const next = nextLine(head, {
      timeMs: index,
      event: 'request.accepted',
      fields: { operator: word, index },
    });
    lines.push(next.line);
    heads.push(next.head);
    head = next.head;
  }
  return { lines, heads, head };
}

const { lines, heads, head } = logOf(6);
const [l1 = '', l2 = '', l3 = '', l4 = '', l5 = '', l6 = ''] = lines;

async function verdictOf(changed: readonly string[]) {
  const verdict = await verifyChain(changed, { head });
  return verdict.isIntact ? 'intact' : `${verdict.fault} ${verdict.lineNumber} ${verdict.expectedSequence}`;
}

describe('an audit log', () => {
  it('as it was written is intact, and its end is its head', async () => {
    expect(await verifyChain(lines, { head })).to.deep.equal({ isIntact: true, head });
    expect(await verifyChain([], {})).to.deep.equal({ isIntact: true, head: auditStart });
  });

  const forged = nextLine(heads[2] ?? auditStart, { timeMs: 0, event: 'nothing.happened', fields: {} }).line;
  const rest = logOf(4, heads[2], 'mallory').lines;
  const cases: ReadonlyArray<[what: string, changed: readonly string[], verdict: string]> = [
    ['a line changed', [l1, l2, l3.replace('alice', 'malory'), l4, l5, l6], 'changed 3 3'],
    ['its first line changed', [l1.replace('alice', 'malory'), l2, l3, l4, l5, l6], 'changed 1 1'],
    ['its last line changed', [l1, l2, l3, l4, l5, `${l6} `], 'changed 6 6'],
    ['an empty line', [l1, '', l2, l3, l4, l5, l6], 'changed 2 2'],
    ['a line dropped', [l1, l2, l4, l5, l6], 'dropped 3 3'],
    ['its first line dropped', [l2, l3, l4, l5, l6], 'dropped 1 1'],
    ['several lines dropped', [l1, l5, l6], 'dropped 2 2'],
    ['two lines swapped', [l1, l3, l2, l4, l5, l6], 'reordered 2 2'],
    ['a line moved down', [l1, l3, l4, l5, l2, l6], 'reordered 2 2'],
    ['a line moved up', [l1, l5, l2, l3, l4, l6], 'reordered 2 2'],
    ['a line twice', [l1, l2, l3, l2, l4, l5, l6], 'repeated 4 4'],
    ['a line written anew', [l1, l2, forged, l4, l5, l6], 'rewritten 4 4'],
    ['all lines from one on written anew', [l1, l2, ...rest], 'rewritten 6 6'],
    ['its end cut off', [l1, l2, l3, l4], 'truncated 5 5'],
    ['all of it cut off', [], 'truncated 1 1'],
    [
      'a line behind its head',
      [...lines, nextLine(head, { timeMs: 0, event: 'x', fields: {} }).line],
      'appended 7 7',
    ],
    ['a line changed and one dropped below', [l1, `${l2}x`, l4, l5, l6], 'changed 2 2'],
    ['a line dropped and one changed below', [l1, l3, `${l4}x`, l5, l6], 'dropped 2 2'],
  ];
  for (const [what, changed, verdict] of cases) {
    it(`with ${what} is not: the first bad line is named`, async () => {
      expect(await verdictOf(changed)).to.equal(verdict);
    });
  }

  it('that was cut off looks whole to whoever has no head: so the head is kept elsewhere', async () => {
    expect(await verifyChain([l1, l2])).to.deep.equal({ isIntact: true, head: heads[2] });
  });

  it('may be verified from a head on, and may lead its head by as much as is said', async () => {
    expect(await verifyChain([l3, l4], { from: heads[2] ?? auditStart })).to.deep.equal({
      isIntact: true,
      head: heads[4],
    });
    const early = heads[5] ?? auditStart;
    expect(await verifyChain(lines, { head: early, mayLeadBy: 1 })).to.deep.equal({ isIntact: true, head });
    expect((await verifyChain(lines, { head: heads[4] ?? auditStart, mayLeadBy: 1 })).isIntact).to.equal(
      false,
    );
  });

  describe('of which the beginning may have been removed', () => {
    const late = { head, mayBeginLate: true };
    const verdictOfLate = async (read: readonly string[], bounds = late) => {
      const verdict = await verifyChain(read, bounds);
      return verdict.isIntact
        ? `intact from ${verdict.first}`
        : `${verdict.fault} ${verdict.lineNumber} ${verdict.expectedSequence}`;
    };

    it('is intact from its first line on, whichever that is', async () => {
      expect(await verifyChain([l4, l5, l6], late)).to.deep.equal({ isIntact: true, head, first: 4 });
      expect(await verifyChain([l6], late)).to.deep.equal({ isIntact: true, head, first: 6 });
      expect(await verifyChain(lines, late)).to.deep.equal({ isIntact: true, head });
      expect(describeAudit(await verifyChain([l5, l6], late))).to.equal(
        `the log is intact from number 5 up to number 6, head ${head.hash}`,
      );
    });

    const worse: ReadonlyArray<[what: string, read: readonly string[], verdict: string]> = [
      ['a line changed', [l3.replace('alice', 'malory'), l4, l5, l6], 'changed 1 1'],
      ['a line changed further down', [l3, l4.replace('alice', 'malory'), l5, l6], 'changed 2 4'],
      ['a line dropped', [l3, l5, l6], 'dropped 2 4'],
      ['two lines swapped', [l3, l5, l4, l6], 'reordered 2 4'],
      ['a line twice', [l3, l4, l3, l5, l6], 'repeated 3 5'],
      ['an earlier line behind its first', [l4, l3, l5, l6], 'repeated 2 5'],
      ['all lines from one on written anew', [l2, ...rest], 'rewritten 5 6'],
      ['its end cut off', [l3, l4], 'truncated 3 5'],
      ['all of it cut off', [], 'truncated 1 1'],
    ];
    for (const [what, read, verdict] of worse)
      it(`with ${what} is not`, async () => expect(await verdictOfLate(read)).to.equal(verdict));

    it('must still continue its head', async () => {
      const lead = { ...late, mayLeadBy: Infinity };
      const at = (index: number) => ({ ...lead, head: heads[index] ?? auditStart });
      expect(await verdictOfLate([l4, l5, l6], at(3))).to.equal('intact from 4');
      expect(await verdictOfLate([l4, l5, l6], at(2))).to.equal('dropped 1 3');
      const forged = logOf(3, { sequence: 3, hash: 'f'.repeat(64) }).lines;
      expect(await verdictOfLate(forged, at(3))).to.equal('rewritten 1 4');
      expect(await verdictOfLate(forged, at(5))).to.equal('rewritten 2 5');
    });
  });

  it('says in one sentence what is wrong', async () => {
    expect(describeAudit(await verifyChain([l1, l4], { head }))).to.equal(
      'line 2 is the first that is wrong: lines before it were dropped; number 2 belongs there, and number 4 stands there',
    );
    expect(describeAudit(await verifyChain([l1], { head }))).to.equal(
      'line 2 is the first that is wrong: the end of the log was cut off; number 2 belongs there',
    );
    expect(describeAudit(await verifyChain(lines, { head }))).to.equal(
      `the log is intact up to number 6, head ${head.hash}`,
    );
  });
});

describe('any log', () => {
  const logs = fc.integer({ min: 2, max: 12 }).map((length) => logOf(length));
  const place = fc.nat(1_000);

  const firstBad = async (log: Log, changed: readonly string[]) => {
    const verdict = await verifyChain(changed, { head: log.head });
    return verdict.isIntact ? undefined : { fault: verdict.fault, at: verdict.lineNumber - 1 };
  };

  it('with any byte changed is found out, with the line in which it is', async () => {
    const change = fc.record({ line: place, at: place, flip: fc.integer({ min: 1, max: 255 }) });
    await fc.assert(
      fc.asyncProperty(logs, change, async (log, { line, at, flip }) => {
        const index = line % log.lines.length;
        const bytes = Buffer.from(`${log.lines.join('\n')}\n`);
        const start = log.lines.slice(0, index).reduce((sum, text) => sum + text.length + 1, 0);
        // The newline belongs to its line.
        const changedAt = start + (at % ((log.lines[index]?.length ?? 0) + 1));
        if (changedAt === bytes.length - 1) return;
        bytes[changedAt] = (bytes[changedAt] ?? 0) ^ flip;
        const verdict = await verifyChain(auditLines([bytes]), { head: log.head });
        expect(verdict).to.include({ isIntact: false, fault: 'changed', lineNumber: index + 1 });
      }),
    );
  });

  it('with lines dropped is found out, with the place', async () => {
    await fc.assert(
      fc.asyncProperty(logs, place, place, async (log, at, count) => {
        const first = at % log.lines.length;
        const changed = log.lines.toSpliced(first, 1 + (count % 3));
        const fault = first < changed.length ? 'dropped' : 'truncated';
        expect(await firstBad(log, changed)).to.deep.equal({ fault, at: first });
      }),
    );
  });

  it('with lines in another order is found out, with the first that is out of place', async () => {
    const shuffled = logs.chain((log) =>
      fc.tuple(fc.constant(log), fc.shuffledSubarray(log.lines, { minLength: log.lines.length })),
    );
    await fc.assert(
      fc.asyncProperty(shuffled, async ([log, changed]) => {
        const at = changed.findIndex((line, index) => line !== log.lines[index]);
        expect(await firstBad(log, changed)).to.deep.equal(at < 0 ? undefined : { fault: 'reordered', at });
      }),
    );
  });

  it('with a line written anew, hash and all, is found out at that line or the next', async () => {
    await fc.assert(
      fc.asyncProperty(logs, place, async (log, at) => {
        const index = at % log.lines.length;
        const { line } = nextLine(log.heads[index] ?? auditStart, { timeMs: 9, event: 'forged', fields: {} });
        const bad = await firstBad(log, log.lines.with(index, line));
        expect(bad).to.deep.equal({ fault: 'rewritten', at: Math.min(index + 1, log.lines.length - 1) });
      }),
    );
  });
});

async function linesOf(chunks: Iterable<Uint8Array>): Promise<string[]> {
  const read: string[] = [];
  for await (const line of auditLines(chunks)) read.push(line);
  return read;
}

describe('the lines of a log', () => {
  it('are the same however the bytes come', async () => {
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 8 }), async (cuts) => {
        const places = [0, ...cuts.toSorted((one, other) => one - other), bytes.length];
        const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        expect(await linesOf(chunks)).to.deep.equal(lines);
      }),
    );
  });

  it('need no newline at the end', async () => {
    expect(await linesOf([Buffer.from('a\n\nb')])).to.deep.equal(['a', '', 'b']);
  });

  it('are kept no further than a line may be long', async () => {
    const chunks = Array(100).fill(Buffer.alloc(10_000, 'x'));
    const read = await linesOf([...chunks, Buffer.from('\nb\n')]);
    expect(read.map((line) => line.length)).to.deep.equal([auditLimits.lineCharacters + 1, 1]);
  });
});
