import { createHash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  type AuditEvent,
  auditLimits,
  auditStart,
  nextLine,
  readAuditLine,
} from '../../../src/security/audit-chain.ts';
import { transcript } from '../../../src/security/transcript.ts';
import { refusalOf } from './refusal.ts';

const event: AuditEvent = {
  timeMs: Date.UTC(2026, 10, 5, 10, 0, 0, 7),
  event: 'request.refused',
  fields: {
    operator: 'alice',
    action: 'stop',
    target: 'rack "ä"',
    outcomes: { ok: 2, failed: 1 },
    nodes: ['web1', 'web2'],
  },
};

describe('a line of the audit log', () => {
  it('has a number, a time, the event with its fields, the hash of the line before, and its own', () => {
    const { line, head } = nextLine(auditStart, event);
    expect(line).to.equal(
      `{"event":"request.refused","fields":{"action":"stop","nodes":["web1","web2"],"operator":"alice","outcomes":{"failed":1,"ok":2},"target":"rack \\"\\u00e4\\""},"hash":"${head.hash}","prev":"${'0'.repeat(64)}","sequence":1,"time":"2026-11-05T10:00:00.007Z"}`,
    );
    expect(head.sequence).to.equal(1);
    const second = nextLine(head, event);
    expect(second.head.sequence).to.equal(2);
    expect(readAuditLine(second.line)?.prev).to.equal(head.hash);
  });

  it('has the hash of the bytes that docs/FORMATS.md says', () => {
    const { line, head } = nextLine(auditStart, event);
    const hashed = line.replace(/"hash":"[0-9a-f]{64}",/, '');
    const bytes = transcript('service-mgr/audit/1', [hashed]);
    expect(head.hash).to.equal(createHash('sha256').update(bytes).digest('hex'));
  });

  it('is read back as it was written', () => {
    const { line, head } = nextLine(auditStart, event);
    expect(readAuditLine(line)).to.deep.equal({
      event: event.event,
      fields: event.fields,
      time: '2026-11-05T10:00:00.007Z',
      prev: auditStart.hash,
      ...head,
    });
  });

  it('is not read with any character changed, dropped or added', () => {
    const { line } = nextLine(auditStart, event);
    for (let at = 0; at < line.length; at += 1) {
      const other = String.fromCharCode(line.charCodeAt(at) ^ 1);
      for (const between of [other, '', ` ${line[at]}`, `${line[at]}${line[at]}`]) {
        const changed = line.slice(0, at) + between + line.slice(at + 1);
        if (changed !== line) expect(readAuditLine(changed), changed).to.equal(undefined);
      }
    }
  });

  it('is not read with the same fields in another order, or one twice', () => {
    const { line } = nextLine(auditStart, event);
    expect(
      readAuditLine(
        line.replace('{"action":"stop","nodes":["web1","web2"]', '{"nodes":["web1","web2"],"action":"stop"'),
      ),
    ).to.equal(undefined);
    expect(readAuditLine(line.replace('{"event"', '{"event":"x","event"'))).to.equal(undefined);
    expect(readAuditLine(line.replace('{"event"', '{"__proto__":{},"event"'))).to.equal(undefined);
  });

  it('keeps of a long field how it began, how long it was, and its hash', () => {
    const target = 'web1,'.repeat(10_000);
    const { line } = nextLine(auditStart, { ...event, fields: { target, nodes: Array(5_000).fill('web1') } });
    const fields = readAuditLine(line)?.fields;
    expect(fields?.['target']).to.deep.equal({
      begin: target.slice(0, 96),
      characters: 50_000,
      sha256: createHash('sha256').update(target).digest('hex'),
    });
    expect(fields?.['nodes']).to.include({ characters: 35_001 });
  });

  it('is never longer than a line may be, whatever a peer puts into it', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 3_000 }),
      fc.constantFrom('"'.repeat(511), '\u{1f600}'.repeat(5_000), '\ud800'.repeat(170), '\\'.repeat(1_100)),
    );
    const value = fc.oneof(
      text,
      fc.array(text, { maxLength: 30 }),
      fc.dictionary(text, fc.integer(), { maxKeys: 30 }),
    );
    const fields = fc.array(value, { maxLength: auditLimits.fields });
    fc.assert(
      fc.property(fields, (values) => {
        const named = Object.fromEntries(values.map((one, index) => [`${'f'.repeat(60)}${index}`, one]));
        const { line } = nextLine(auditStart, { ...event, fields: named });
        expect(line.length).to.be.below(auditLimits.lineCharacters);
        expect(line).to.not.include('\n');
        expect(readAuditLine(line)).to.not.equal(undefined);
      }),
      { numRuns: 50 },
    );
  });

  it('is not made with names that no program of ours has, or with too many fields', () => {
    for (const wrong of [{ event: 'a b' }, { fields: { 'a\n': 1 } }, { fields: { __proto__x: 1 } }]) {
      expect(refusalOf(() => nextLine(auditStart, { ...event, ...wrong })).code).to.equal('INVALID_MESSAGE');
    }
    const many = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`f${index}`, 1]));
    expect(refusalOf(() => nextLine(auditStart, { ...event, fields: many })).message).to.include(
      'at most 24',
    );
  });

  it('is refused, not crashed into, when it is nested deeper than the stack', () => {
    const deep = `${'['.repeat(16_000)}${']'.repeat(16_000)}`;
    for (const text of [
      deep,
      `{"fields":${deep}}`,
      nextLine(auditStart, event).line.replace('"stop"', `[${deep}]`),
    ])
      expect(readAuditLine(text)).to.equal(undefined);
  });
});
