import { Type } from '@sinclair/typebox';
import { expect } from 'chai';
import fc from 'fast-check';
import { message } from '../../../src/wire/codec.ts';
import { isServiceManagerError, ServiceManagerError } from '../../../src/wire/errors.ts';

const Order = message(
  'Order',
  200,
  Type.Object({
    name: Type.String({ maxLength: 100, description: 'a name' }),
    count: Type.Optional(Type.Integer({ minimum: 0 })),
    place: Type.Optional(Type.Object({ row: Type.Integer({ description: 'a row' }) })),
  }),
);

const Reply = message(
  'Reply',
  200,
  Type.Union([
    Type.Object({
      result: Type.Object({ code: Type.Integer({ description: 'a code' }) }),
      id: Type.String(),
    }),
    Type.Object({ success: Type.Literal(-1), id: Type.String({ description: 'an id' }) }),
  ]),
);

function refusalOf(action: () => unknown): ServiceManagerError {
  try {
    action();
  } catch (error) {
    if (isServiceManagerError(error)) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

function reasonOf(value: unknown): string {
  const refusal = refusalOf(() => Order.parse(value));
  expect(refusal.code).to.equal('INVALID_MESSAGE');
  return refusal.message;
}

describe('a message', () => {
  describe('when it is checked', () => {
    it('is the very value that was given', () => {
      const value = { name: 'nails', count: 3 };
      expect(Order.parse(value)).to.equal(value);
    });

    it('may have fields that its schema does not know', () => {
      expect(Order.parse({ name: 'nails', colour: 'red' })).to.deep.equal({ name: 'nails', colour: 'red' });
    });

    it('names a missing field and what was expected', () => {
      expect(reasonOf({})).to.equal('Order: field name is missing, expected a name');
    });

    it('names a wrong field, its value and what was expected', () => {
      expect(reasonOf({ name: 7 })).to.equal('Order: field name is 7, expected a name');
      expect(reasonOf({ name: null })).to.equal('Order: field name is null, expected a name');
    });

    it('says what was expected also where the schema has no words for it', () => {
      expect(reasonOf({ name: 'nails', count: 'three' })).to.equal(
        'Order: field count is "three", expected integer',
      );
    });

    it('names a field inside another by its path', () => {
      expect(reasonOf({ name: 'nails', place: { row: 'A' } })).to.equal(
        'Order: field place.row is "A", expected a row',
      );
    });

    for (const value of [null, 'nails', 7, true]) {
      it(`is not ${JSON.stringify(value)}`, () => {
        expect(reasonOf(value)).to.equal(`Order: the message is ${JSON.stringify(value)}, expected object`);
      });
    }

    it('shows no more than 60 characters of a value', () => {
      expect(reasonOf({ name: 'x'.repeat(60), count: 'y'.repeat(60) })).to.include(`"${'y'.repeat(60)}",`);
      const long = reasonOf({ name: 'x'.repeat(100_000) });
      expect(long).to.equal(`Order: field name is "${'x'.repeat(60)}"..., expected a name`);
    });

    it('shows control characters of a value as escapes', () => {
      expect(reasonOf({ name: 'nails', count: 'a\u0000\n' })).to.include('"a\\u0000\\n"');
    });

    it('does not write out lists and objects', () => {
      expect(reasonOf({ name: ['secret'] })).to.equal('Order: field name is a list, expected a name');
      expect(reasonOf({ name: { a: 'secret' } })).to.equal('Order: field name is an object, expected a name');
      expect(reasonOf([])).to.equal('Order: the message is a list, expected object');
    });

    it('is not made of what its prototype says', () => {
      expect(reasonOf(JSON.parse('{"__proto__":{"name":"nails"}}'))).to.include('field name is missing');
    });
  });

  describe('of several forms', () => {
    const cases: ReadonlyArray<[value: unknown, reason: string]> = [
      [{ success: -1, id: 5 }, 'Reply: field id is 5, expected an id'],
      [{ success: -1 }, 'Reply: field id is missing, expected an id'],
      [{ result: { code: 'x' }, id: 'a' }, 'Reply: field result.code is "x", expected a code'],
      [{ result: {}, id: 'a' }, 'Reply: field result.code is missing, expected a code'],
      [{ success: 0, id: 'a' }, 'Reply: field success is 0, expected -1'],
      ['no', 'Reply: the message is "no", expected object'],
    ];
    for (const [value, reason] of cases) {
      it(`is told of as the form that ${JSON.stringify(value)} comes closest to`, () => {
        expect(refusalOf(() => Reply.parse(value)).message).to.equal(reason);
      });
    }
  });

  describe('when a frame is read', () => {
    it('may be exactly as long as its largest size', () => {
      const frame = Buffer.from('{"name":"nails"}'.padEnd(200));
      expect(Order.decode(frame)).to.deep.equal({ name: 'nails' });
    });

    it('is FRAME_TOO_LARGE with one byte more, and is not even parsed', () => {
      const refusal = refusalOf(() => Order.decode(Buffer.alloc(201)));
      expect(refusal.code).to.equal('FRAME_TOO_LARGE');
      expect(refusal.message).to.equal('Order: frame of 201 bytes, expected at most 200');
    });

    const noJson: Readonly<Record<string, Buffer>> = {
      'an empty frame': Buffer.alloc(0),
      'half an object': Buffer.from('{"name":"na'),
      'two objects': Buffer.from('{"name":"a"}{"name":"b"}'),
      'a word': Buffer.from('nails'),
      'Python repr': Buffer.from("{'name': 'nails'}"),
      NaN: Buffer.from('{"name":"nails","count":NaN}'),
      'a raw newline in a text': Buffer.from('{"name":"na\nils"}'),
      'Latin-1': Buffer.from('{"name":"n\xe4gel"}', 'latin1'),
      'an overlong encoding': Buffer.from([0x22, 0xc0, 0xaf, 0x22]),
      'half a surrogate in UTF-8': Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]),
    };
    for (const [what, frame] of Object.entries(noJson)) {
      it(`is NOT_JSON for ${what}, with the cause kept`, () => {
        const refusal = refusalOf(() => Order.decode(frame));
        expect(refusal.code).to.equal('NOT_JSON');
        expect(refusal.message).to.equal('Order: expected one UTF-8 JSON object');
        expect(refusal.cause).to.be.instanceOf(Error);
      });
    }

    it('is INVALID_MESSAGE for JSON that does not fit', () => {
      expect(refusalOf(() => Order.decode(Buffer.from('[]'))).code).to.equal('INVALID_MESSAGE');
    });

    it('takes a view into a larger buffer as it stands', () => {
      const whole = Buffer.from('xx{"name":"nails"}xx');
      expect(Order.decode(new Uint8Array(whole.buffer, whole.byteOffset + 2, 16))).to.deep.equal({
        name: 'nails',
      });
    });

    it('is undefined where it may fail', () => {
      expect(Order.tryDecode(Buffer.from('{"name":"nails"}'))).to.deep.equal({ name: 'nails' });
      for (const frame of ['', '[]', '{}', 'x'.repeat(300)]) {
        expect(Order.tryDecode(Buffer.from(frame)), frame).to.equal(undefined);
      }
    });

    it('is refused, not crashed into, when it is nested deeper than the stack', () => {
      const Deep = message('Deep', 1_000_000, Type.Object({ name: Type.String() }));
      const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
      for (const frame of [
        nested,
        `{"name":${nested}}`,
        `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
      ]) {
        expect(() => Deep.decode(Buffer.from(frame)))
          .to.throw(ServiceManagerError)
          .with.property('code', 'INVALID_MESSAGE');
      }
    });
  });

  describe('when a field that its schema does not know is nested', () => {
    const Small = message('Small', 1_000_000, Type.Object({ name: Type.String() }));
    const nested = (levels: number) =>
      Buffer.from(`{"name":"nails","more":${'['.repeat(levels)}${']'.repeat(levels)}}`);

    it('is kept as it came, up to 16 levels', () => {
      expect(JSON.stringify(Small.decode(nested(15)))).to.equal(nested(15).toString());
    });

    for (const levels of [16, 100_000]) {
      it(`is refused with ${levels} in it: whoever wrote it again would come to the end of the stack`, () => {
        const refusal = refusalOf(() => Small.decode(nested(levels)));
        expect(refusal.code).to.equal('INVALID_MESSAGE');
        expect(refusal.message).to.equal('Small: nested more than 16 levels deep');
      });
    }
  });

  describe('when it is written', () => {
    it('is JSON without blanks, fields in the order given', () => {
      expect(Order.encode({ count: 3, name: 'nägel' }).toString()).to.equal('{"count":3,"name":"nägel"}');
    });

    it('is read back as it was', () => {
      const order = fc.record(
        {
          name: fc.string({ unit: 'grapheme', maxLength: 20 }),
          count: fc.nat(),
          place: fc.record({ row: fc.integer() }),
        },
        { requiredKeys: ['name'] },
      );
      fc.assert(
        fc.property(order, (value) => {
          expect(Order.decode(Order.encode(value))).to.deep.equal(value);
        }),
      );
    });
  });
});
