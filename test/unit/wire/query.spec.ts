import { expect } from 'chai';
import fc from 'fast-check';
import { isServiceManagerError } from '../../../src/wire/errors.ts';
import { isMeantAsQuery, openQuery, Query, SignedQuery, sealQuery } from '../../../src/wire/query.ts';
import { RequestBody, sealRequest } from '../../../src/wire/request.ts';

const id = '0123456789abcdef0123456789abcdef';
const cancel = Query.parse({ v: 2, query: 'cancel', id, nonce: 'f'.repeat(32), notAfterMs: 9, sentAtMs: 5 });
const text = JSON.stringify(cancel);

function frame(value: unknown): Buffer {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
}

function refusal(value: unknown): { code: string; message: string } {
  try {
    openQuery(frame(value));
  } catch (error) {
    if (isServiceManagerError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('it was not refused');
}

describe('a query without a signature', () => {
  it('is one JSON object', () => {
    expect(sealQuery(cancel, undefined).toString()).to.equal(text);
    expect(openQuery(frame(text))).to.deep.equal({ query: cancel, signed: undefined });
  });

  it('need not say more than what it asks', () => {
    expect(openQuery(frame({ v: 2, query: 'nodes' })).query).to.deep.equal({ v: 2, query: 'nodes' });
  });

  for (const [field, value, expected] of [
    ['v', 1, 'the number 2'],
    ['query', 'dance', 'one of nodes, forget, plan, requests, request, answers, cancel'],
    ['id', 'abc', '32 lower-case hex characters'],
    ['nonce', 'abc', '32 lower-case hex characters'],
    ['notAfterMs', -1, 'milliseconds since 1970'],
    ['notAfterMs', 1.5, 'milliseconds since 1970'],
    ['sentAtMs', '5', 'milliseconds since 1970'],
    ['limit', 10_001, 'a number from 1 to 10000'],
  ] as const) {
    it(`is refused for ${JSON.stringify(value)} as ${field}, with and without a signature`, () => {
      const wrong = { ...cancel, [field]: value };
      const shown = `Query: field ${field} is ${JSON.stringify(value)}, expected ${expected}`;
      expect(refusal(wrong)).to.deep.equal({ code: 'INVALID_MESSAGE', message: shown });
      const signed = { v: 2, signed: JSON.stringify(wrong), signature: 'abc' };
      expect(refusal(signed)).to.deep.equal({ code: 'INVALID_MESSAGE', message: shown });
    });
  }
});

describe('a signed query', () => {
  it('is its text and the signature of exactly these bytes', () => {
    const seen: Buffer[] = [];
    const sealed = sealQuery(cancel, (bytes) => {
      seen.push(bytes);
      return 'abc';
    });
    expect(JSON.parse(sealed.toString())).to.deep.equal({ v: 2, signed: text, signature: 'abc' });
    expect(seen.map(String)).to.deep.equal([text]);
    expect(openQuery(sealed)).to.deep.equal({ query: cancel, signed: { bytes: seen[0], signature: 'abc' } });
  });

  it('is handed on byte for byte, however it is written', () => {
    const odd = ` {"query" : "cancel","v":2, "id":"${id}","later":"\\u00fc ü"}`;
    const opened = openQuery(frame({ v: 2, signed: odd, signature: 'abc' }));
    expect(opened.signed?.bytes.toString()).to.equal(odd);
    expect(opened.query).to.deep.include({ query: 'cancel', id });
  });

  it('comes out as it was sealed, whatever is asked', () => {
    const asked = fc.record(
      {
        v: fc.constant(2 as const),
        query: fc.constantFrom('nodes', 'requests', 'plan'),
        service: fc.string({ unit: 'grapheme', maxLength: 30 }),
        body: fc.string({ unit: 'binary', maxLength: 30 }),
        sinceMs: fc.nat(),
      },
      { requiredKeys: ['v', 'query'] },
    );
    fc.assert(
      fc.property(asked, (value) => {
        const query = Query.parse(value);
        const bytes = Query.encode(query);
        const opened = openQuery(sealQuery(query, (signed) => String(signed.equals(bytes))));
        expect(opened).to.deep.equal({ query, signed: { bytes, signature: 'true' } });
      }),
    );
  });

  it('is what it says in what was signed, whatever stands around it', () => {
    const around = { ...cancel, query: 'forget', node: 'web1', signed: text, signature: 'abc' };
    expect(openQuery(frame(around)).query).to.deep.equal(cancel);
  });

  it('is refused when what was signed is no JSON', () => {
    expect(refusal({ v: 2, signed: 'cancel', signature: 'abc' })).to.deep.equal({
      code: 'NOT_JSON',
      message: 'Query: expected one UTF-8 JSON object',
    });
  });

  for (const [what, wrapper] of Object.entries({
    'without a signature': { v: 2, signed: text },
    'with a signature of more than 1 KiB': { v: 2, signed: text, signature: 'x'.repeat(1_025) },
    'with a signature that is a number': { v: 2, signed: text, signature: 7 },
    'of another version': { v: 3, signed: text, signature: 'abc' },
    'of no text': { v: 2, signed: cancel, signature: 'abc' },
    'of more than 400 KiB': { v: 2, signed: text.padEnd(400 * 1024 + 1), signature: 'abc' },
  })) {
    it(`${what} is none, and no query either`, () => {
      expect(SignedQuery.tryDecode(frame(wrapper))).to.equal(undefined);
      expect(refusal(wrapper).code).to.equal('INVALID_MESSAGE');
    });
  }

  it('of 400 KiB is one', () => {
    const longest = { v: 2, signed: text.padEnd(400 * 1024), signature: 'abc' };
    expect(openQuery(frame(longest)).query).to.deep.equal(cancel);
  });
});

describe('a frontend frame', () => {
  for (const meant of [
    text,
    { query: 7 },
    { v: 2, signed: text, signature: 'abc' },
    { signed: null },
    { query: 'nodes', signed: 'x' },
  ]) {
    it(`is meant as a query, good or not: ${JSON.stringify(meant).slice(0, 60)}`, () => {
      expect(isMeantAsQuery(frame(meant))).to.equal(true);
    });
  }

  const body = RequestBody.parse({ id, cmd: 'status', topic: '"query"', service: 'signed' });
  for (const other of [
    { cmd: 'status', topic: 'Linux', service: 'sshd' },
    { cmd: 'status', topic: 'Linux', service: 'sshd', query: 'nodes' },
    { cmd: 'status', topic: 'Linux', service: 'sshd', signed: text, signature: 'abc' },
    sealRequest(body, () => 'abc').toString(),
    '["query"]',
    '["signed"]',
    '"query"',
    'null',
    '{"query":',
    '{"topic":"\\"signed\\""}',
    '',
  ]) {
    it(`is not: ${JSON.stringify(other).slice(0, 60)}`, () => {
      expect(isMeantAsQuery(frame(other))).to.equal(false);
    });
  }

  it('is not when it is longer than any', () => {
    expect(isMeantAsQuery(frame(text.padEnd(1024 * 1024)))).to.equal(true);
    expect(isMeantAsQuery(frame(text.padEnd(1024 * 1024 + 1)))).to.equal(false);
  });
});
