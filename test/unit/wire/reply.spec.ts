import { expect } from 'chai';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import {
  Accepted,
  Failure,
  failure,
  failureOf,
  NextKey,
  nextKeyIn,
  withNextKey,
} from '../../../src/wire/reply.ts';

const uuid = '0123456789abcdef0123456789abcdef';

function decode<T>(message: { decode(frame: Uint8Array): T }, value: unknown): T {
  return message.decode(Buffer.from(JSON.stringify(value)));
}

describe('an acceptance', () => {
  it('may be that of a v1 manager: id and port', () => {
    expect(Accepted.decode(Buffer.from(`{"uuid": "${uuid}", "port": 5750}`))).to.deep.equal({
      uuid,
      port: 5750,
    });
  });

  it('of ours is that of v1 with more fields behind', () => {
    const { uuid: id, port } = Accepted.parse({ uuid, port: 5750 });
    expect(Accepted.encode({ uuid: id, port, v: 2, expected: 3, withheld: 0 }).toString()).to.equal(
      `{"uuid":"${uuid}","port":5750,"v":2,"expected":3,"withheld":0}`,
    );
  });

  it('may have fields of a later version', () => {
    expect(decode(Accepted, { uuid, port: 1, later: true })).to.have.property('later', true);
  });

  for (const port of [0, -1, 65_536, 5_750.5, '5750', null, undefined]) {
    it(`does not name the port ${JSON.stringify(port) ?? 'nothing'}`, () => {
      const shown = port === undefined ? 'is missing' : `is ${JSON.stringify(port)}`;
      expect(() => decode(Accepted, { uuid, port })).to.throw(
        ServiceManagerError,
        `Accepted: field port ${shown}, expected a port from 1 to 65535`,
      );
    });
  }

  it('names the ports at both ends of the range', () => {
    expect(decode(Accepted, { uuid, port: 1 }).port).to.equal(1);
    expect(decode(Accepted, { uuid, port: 65_535 }).port).to.equal(65_535);
  });

  for (const [field, value] of Object.entries({ uuid: 'x', v: '2', expected: -1, withheld: 0.5 })) {
    it(`has no ${field} of ${JSON.stringify(value)}`, () => {
      expect(() => decode(Accepted, { uuid, port: 1, [field]: value })).to.throw(
        `Accepted: field ${field} is ${JSON.stringify(value)}, expected `,
      );
    });
  }

  it('is not a refusal, and a refusal is not an acceptance', () => {
    const refusal = Buffer.from('{"success": -1, "msg": "no"}');
    const acceptance = Buffer.from(`{"uuid": "${uuid}", "port": 5750}`);
    expect([Accepted.tryDecode(refusal), Failure.tryDecode(acceptance)]).to.deep.equal([
      undefined,
      undefined,
    ]);
  });
});

describe('a refusal', () => {
  it('may be that of a v1 manager: success -1 and a text', () => {
    expect(Failure.decode(Buffer.from('{"success": -1, "msg": "Missing topic"}'))).to.deep.equal({
      success: -1,
      msg: 'Missing topic',
    });
  });

  it('of ours is that of v1 with its code behind', () => {
    expect(Failure.encode(failure('TOO_BUSY', 'try again later')).toString()).to.equal(
      '{"success":-1,"msg":"try again later","code":"TOO_BUSY"}',
    );
  });

  it('may have a code of a later version', () => {
    expect(decode(Failure, { success: -1, msg: 'no', code: 'FUTURE_CODE' }).code).to.equal('FUTURE_CODE');
  });

  it('is made of an error without its cause', () => {
    const error = new ServiceManagerError('NOT_JSON', 'expected JSON', { cause: new Error('secret') });
    expect(failureOf(error)).to.deep.equal({ success: -1, msg: 'expected JSON', code: 'NOT_JSON' });
  });

  for (const value of [
    { success: 0, msg: 'x' },
    { success: '-1', msg: 'x' },
    { success: -1 },
    { msg: 'x' },
    [],
  ]) {
    it(`is not ${JSON.stringify(value)}`, () => {
      expect(() => decode(Failure, value))
        .to.throw('Failure: ')
        .with.property('code', 'INVALID_MESSAGE');
    });
  }
});

describe('the next key of a manager', () => {
  const key = 'rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7';
  const encoded = (reply: object) => Buffer.from(JSON.stringify(reply));

  for (const reply of [{ uuid, port: 5750 }, failure('TOO_BUSY', 'later'), { success: 0, nodes: [] }, {}]) {
    it(`stands first in any reply, and is found there: ${JSON.stringify(reply)}`, () => {
      const told = withNextKey(reply, key);
      expect(told).to.deep.equal({ ...reply, nextKey: key });
      expect(Object.keys(told)[0]).to.equal('nextKey');
      expect(nextKeyIn(encoded(told))).to.equal(key);
    });
  }

  it('is in no reply of a manager that keeps its key, which stays as it is', () => {
    const reply = { uuid, port: 5750 };
    expect(withNextKey(reply, undefined)).to.equal(reply);
    expect(nextKeyIn(encoded(reply))).to.equal(undefined);
  });

  it('does not keep a reply from being read as what it is', () => {
    expect(decode(Accepted, withNextKey({ uuid, port: 1 }, key)).port).to.equal(1);
    expect(decode(Failure, withNextKey(failure('NO_NODE', 'nobody'), key)).code).to.equal('NO_NODE');
  });

  for (const [what, text] of Object.entries({
    'behind something else': `{"uuid":"${uuid}","nextKey":"${key}"}`,
    'within something else': `{"a":{"nextKey":"${key}"}}`,
    'that is none': '{"nextKey":"abc"}',
    'that is a number': '{"nextKey":7}',
    'in a reply that is cut off': `{"nextKey":"${key}"`,
    'in an empty reply': '',
  })) {
    it(`is not found ${what}`, () => expect(nextKeyIn(Buffer.from(text))).to.equal(undefined));
  }

  it('may be any CURVE key', () => {
    expect(NextKey.parse({ nextKey: key })).to.deep.equal({ nextKey: key });
    expect(() => decode(NextKey, { nextKey: `${key}x` })).to.throw('NextKey: field nextKey is ');
  });
});
