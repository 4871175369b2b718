import { expect } from 'chai';
import fc from 'fast-check';
import { message } from '../../../src/wire/codec.ts';
import { isServiceManagerError, ServiceManagerError } from '../../../src/wire/errors.ts';
import { RequestId } from '../../../src/wire/fields.ts';
import {
  type CheckedRequest,
  FrontendRequest,
  openRequest,
  RequestBody,
  sealRequest,
} from '../../../src/wire/request.ts';

const ids = message('id', 64, RequestId);
const ownId = ids.parse('0123456789abcdef0123456789abcdef');
const newId = ids.parse('f'.repeat(32));

const v1 = { cmd: 'status', topic: 'Linux', service: 'sshd' };
const inner = { id: ownId, ...v1 };

function open(request: unknown): CheckedRequest {
  const frame = Buffer.from(typeof request === 'string' ? request : JSON.stringify(request));
  return openRequest(frame, () => newId);
}

function refusal(request: unknown): { code: string; message: string } {
  try {
    open(request);
  } catch (error) {
    if (isServiceManagerError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('it was not refused');
}

function v2(body: unknown, changes: Readonly<Record<string, unknown>> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { ...v1, v: 2, body: text, signature: '', ...changes };
}

describe('a v1 request', () => {
  it('is one JSON object with action, topic and service, and gets a new id', () => {
    const request = open('{"cmd": "status", "topic": "Linux", "service": "sshd"}');
    expect(request.version).to.equal('v1');
    expect(request.body).to.deep.equal({ id: newId, cmd: 'status', topic: 'Linux', service: 'sshd' });
    expect(request.signature).to.equal('');
  });

  it('has a body for v2 agents, in which its id stands', () => {
    expect(open(v1).bodyBytes.toString()).to.equal(
      `{"id":"${newId}","cmd":"status","topic":"Linux","service":"sshd"}`,
    );
  });

  it('may have fields that nobody knows', () => {
    expect(open({ ...v1, user: 'root' }).body).to.deep.equal({ id: newId, ...v1 });
  });

  it('with a body or a signature but no version is still v1', () => {
    expect(open({ ...v1, body: JSON.stringify(inner), signature: 'x' })).to.deep.include({
      version: 'v1',
      signature: '',
    });
  });

  it('cannot choose its id', () => {
    expect(open({ ...v1, id: ownId, uuid: ownId }).body.id).to.equal(newId);
  });

  it('gets no id when it is refused', () => {
    const noId = () => {
      throw new Error('an id was made');
    };
    expect(() => openRequest(Buffer.from('{"cmd": "status"}'), noId)).to.throw(ServiceManagerError);
  });

  for (const field of ['cmd', 'topic', 'service'] as const) {
    it(`without ${field} is refused by the name of the field`, () => {
      const { [field]: _, ...rest } = v1;
      expect(refusal(rest).code).to.equal('INVALID_MESSAGE');
      expect(refusal(rest).message).to.match(
        new RegExp(`^FrontendRequest: field ${field} is missing, expected an? `),
      );
    });

    for (const [value, shown] of [
      [7, '7'],
      [null, 'null'],
      [['x'], 'a list'],
      [{}, 'an object'],
      ['', '""'],
    ] as const) {
      it(`with ${shown} as ${field} is refused with field, value and expectation`, () => {
        const { code, message: text } = refusal({ ...v1, [field]: value });
        expect(code).to.equal('INVALID_MESSAGE');
        expect(text.startsWith(`FrontendRequest: field ${field} is ${shown}, expected a`), text).to.equal(
          true,
        );
      });
    }
  }

  for (const service of [
    '../x',
    '-x',
    'a\u0000b',
    'a\nb',
    '',
    'x'.repeat(256),
    'ärger',
    '/x',
    'x;y',
    '$(x)',
  ]) {
    it(`never names the service ${JSON.stringify(service).slice(0, 20)}`, () => {
      expect(refusal({ ...v1, service })).to.deep.equal({
        code: 'INVALID_MESSAGE',
        message: `FrontendRequest: field service is ${
          service.length > 60 ? `"${service.slice(0, 60)}"...` : JSON.stringify(service)
        }, expected a service name of 1 to 255 letters, digits and @_.:+- that begins with a letter, digit, @ or _ and has no '..'`,
      });
    });
  }

  it('is not made of what its prototype says', () => {
    expect(refusal(`{"__proto__": ${JSON.stringify(v1)}}`).code).to.equal('INVALID_MESSAGE');
    expect(Object.hasOwn(Object.prototype, 'cmd')).to.equal(false);
  });

  for (const text of ['', 'status Linux sshd', '{"cmd":', "{'cmd': 'status'}"]) {
    it(`is not ${JSON.stringify(text)}`, () => {
      expect(refusal(text)).to.deep.equal({
        code: 'NOT_JSON',
        message: 'FrontendRequest: expected one UTF-8 JSON object',
      });
    });
  }

  it('may be 1 MiB long and no longer', () => {
    const padded = JSON.stringify(v1).padEnd(1024 * 1024);
    expect(open(padded).body.service).to.equal('sshd');
    expect(refusal(`${padded} `)).to.deep.equal({
      code: 'FRAME_TOO_LARGE',
      message: 'FrontendRequest: frame of 1048577 bytes, expected at most 1048576',
    });
  });
});

describe('a v2 request', () => {
  it('is a good v1 request with version, body and signature behind', () => {
    const frame = sealRequest(RequestBody.parse({ ...inner, timeoutMs: 500, windowMs: 5_000 }));
    expect(frame.toString()).to.equal(
      `{"cmd":"status","topic":"Linux","service":"sshd","v":2,"body":"{\\"id\\":\\"${ownId}\\",` +
        '\\"cmd\\":\\"status\\",\\"topic\\":\\"Linux\\",\\"service\\":\\"sshd\\",\\"timeoutMs\\":500,' +
        '\\"windowMs\\":5000}","signature":""}',
    );
  });

  it('carries its own id', () => {
    const request = open(v2(inner, { signature: 'abc' }));
    expect(request).to.deep.include({ version: 'v2', body: inner, signature: 'abc' });
  });

  it('hands on the very bytes of its body, blanks and unknown fields included', () => {
    const body = `{ "later": 1,  "service":"sshd","topic":"Linux",\n"cmd":"status","id":"${ownId}","ü":"\\u00fc"}`;
    expect(open(v2(body)).bodyBytes.toString()).to.equal(body);
  });

  it('needs no signature', () => {
    const { signature: _, ...unsigned } = v2(inner);
    expect(open(unsigned).signature).to.equal('');
  });

  it('without a body is refused', () => {
    const { body: _, ...empty } = v2(inner);
    expect(refusal(empty)).to.deep.equal({
      code: 'INVALID_MESSAGE',
      message: 'FrontendRequest: field body is missing, expected with v 2',
    });
  });

  for (const [field, value] of Object.entries({ cmd: 'stop', topic: 'any', service: 'cron' })) {
    it(`is refused when ${field} is not what the body says`, () => {
      expect(refusal(v2(inner, { [field]: value }))).to.deep.equal({
        code: 'BODY_MISMATCH',
        message: `FrontendRequest: field ${field} is "${value}", but the body says "${v1[field as keyof typeof v1]}"`,
      });
    });
  }

  for (const version of [1, 3, '2', null, 2.5]) {
    it(`of version ${JSON.stringify(version)} is refused`, () => {
      expect(refusal(v2(inner, { v: version }))).to.deep.equal({
        code: 'INVALID_MESSAGE',
        message: `FrontendRequest: field v is ${JSON.stringify(version)}, expected the number 2`,
      });
    });
  }

  for (const [what, changes, text] of [
    [
      'an object as its body',
      { body: inner },
      'field body is an object, expected a RequestBody as JSON text',
    ],
    [
      'a long signature',
      { signature: 'x'.repeat(1_025) },
      `field signature is "${'x'.repeat(60)}"..., expected`,
    ],
    ['a number as its signature', { signature: 5 }, 'field signature is 5, expected a text of at most 1024'],
  ] as const) {
    it(`with ${what} is refused`, () => {
      const { code, message: reason } = refusal(v2(inner, changes));
      expect(code).to.equal('INVALID_MESSAGE');
      expect(reason).to.include(`FrontendRequest: ${text}`);
    });
  }

  it('with a body that is no JSON is refused', () => {
    expect(refusal(v2('{"id":'))).to.deep.equal({
      code: 'NOT_JSON',
      message: 'RequestBody: expected one UTF-8 JSON object',
    });
  });

  for (const [field, value, expected] of [
    ['id', undefined, 'is missing, expected 32 lower-case hex characters'],
    ['id', 'F'.repeat(32), `is "${'F'.repeat(32)}", expected 32 lower-case hex characters`],
    ['timeoutMs', 0, 'is 0, expected milliseconds from 1 to 86400000'],
    ['timeoutMs', 86_400_001, 'is 86400001, expected milliseconds from 1 to 86400000'],
    ['timeoutMs', 1.5, 'is 1.5, expected milliseconds from 1 to 86400000'],
    ['windowMs', '5', 'is "5", expected milliseconds from 1 to 86400000'],
    ['windowMs', -1, 'is -1, expected milliseconds from 1 to 86400000'],
    ['service', '../x', 'is "../x", expected a service name'],
  ] as const) {
    it(`whose body says ${JSON.stringify(value) ?? 'nothing'} for ${field} is refused`, () => {
      const { code, message: text } = refusal(v2({ ...inner, [field]: value }));
      expect(code).to.equal('INVALID_MESSAGE');
      expect(text).to.include(`RequestBody: field ${field} ${expected}`);
    });
  }

  it('comes out as it was sealed, whatever was asked for', () => {
    const body = fc.record(
      {
        id: fc.stringMatching(/^[0-9a-f]{32}$/),
        cmd: fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/),
        topic: fc.constantFrom('any', 'Zürich', '"\\', '東京', '\u{1f4be}'.repeat(255)),
        service: fc.stringMatching(/^[A-Za-z0-9@_][A-Za-z0-9@_:+-]{0,254}$/),
        timeoutMs: fc.integer({ min: 1, max: 86_400_000 }),
        windowMs: fc.integer({ min: 1, max: 86_400_000 }),
      },
      { requiredKeys: ['id', 'cmd', 'topic', 'service'] },
    );
    fc.assert(
      fc.property(body, (value) => {
        const sealed = RequestBody.parse(value);
        const frame = sealRequest(sealed);
        const opened = openRequest(frame, () => newId);
        expect(opened.version).to.equal('v2');
        expect(opened.body).to.deep.equal(sealed);
        expect(RequestBody.decode(opened.bodyBytes)).to.deep.equal(sealed);
        const asV1 = FrontendRequest.decode(frame);
        expect([asV1.cmd, asV1.topic, asV1.service]).to.deep.equal([value.cmd, value.topic, value.service]);
      }),
    );
  });
});
