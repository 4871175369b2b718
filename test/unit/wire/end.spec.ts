import { expect } from 'chai';
import { RequestEnd } from '../../../src/wire/end.ts';
import { isServiceManagerError } from '../../../src/wire/errors.ts';
import { outcomes } from '../../../src/wire/outcome.ts';

const uuid = '0123456789abcdef0123456789abcdef';
const end = {
  uuid,
  outcomes: [
    { node: 'web1', outcome: 'ok' },
    { node: 'web2', outcome: 'no-answer' },
  ],
  unnamed: 1,
  withheld: 2,
  isCancelled: false,
};

function refusal(changes: Readonly<Record<string, unknown>>): string {
  try {
    RequestEnd.parse({ ...end, ...changes });
  } catch (error) {
    if (isServiceManagerError(error)) return error.message;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('the end of a request', () => {
  it('says what became of it at every node', () => {
    expect(RequestEnd.decode(Buffer.from(JSON.stringify(end)))).to.deep.equal(end);
    expect(RequestEnd.encode(RequestEnd.parse(end)).toString()).to.equal(JSON.stringify(end));
  });

  for (const outcome of outcomes) {
    it(`may be ${outcome} at a node`, () => {
      expect(RequestEnd.parse({ ...end, outcomes: [{ node: 'web1', outcome }] }).outcomes).to.have.length(1);
    });
  }

  it('may be of no node at all', () => {
    expect(RequestEnd.parse({ ...end, outcomes: [], unnamed: 0 }).outcomes).to.deep.equal([]);
  });

  it('may be of a v1 agent with a name that a v2 agent could not have', () => {
    const odd = { ...end, outcomes: [{ node: 'my host.', outcome: 'ok' }] };
    expect(RequestEnd.decode(Buffer.from(JSON.stringify(odd)))).to.deep.equal(odd);
  });

  it('holds ten thousand nodes', () => {
    const many = Array.from({ length: 10_000 }, (_, at) => ({
      node: `${'long-'.repeat(50)}${at}`,
      outcome: 'unreachable',
    }));
    const frame = RequestEnd.encode(RequestEnd.parse({ ...end, outcomes: many }));
    expect(RequestEnd.decode(frame).outcomes).to.have.length(10_000);
  });

  for (const [changes, reason] of [
    [{ uuid: 'x' }, 'field uuid is "x", expected 32 lower-case hex characters'],
    [{ outcomes: undefined }, 'field outcomes is missing, expected a list of outcomes'],
    [{ outcomes: {} }, 'field outcomes is an object, expected a list of outcomes'],
    [{ outcomes: [{ node: '', outcome: 'ok' }] }, 'field outcomes.0.node is "", expected a node name'],
    [
      { outcomes: [{ node: 'a', outcome: 'fine' }] },
      'field outcomes.0.outcome is "fine", expected one of ok, ',
    ],
    [{ unnamed: -1 }, 'field unnamed is -1, expected a count'],
    [{ withheld: 0.5 }, 'field withheld is 0.5, expected a count'],
    [{ isCancelled: 'no' }, 'field isCancelled is "no", expected true or false'],
  ] as const) {
    it(`is refused with ${JSON.stringify(changes)}`, () => {
      expect(refusal(changes)).to.include(`RequestEnd: ${reason}`);
    });
  }
});
