import type { TSchema } from '@sinclair/typebox';
import { expect } from 'chai';
import fc from 'fast-check';
import { message } from '../../../src/wire/codec.ts';
import {
  ActionName,
  actions,
  NodeName,
  RequestId,
  readOnlyActions,
  ServiceName,
  State,
  states,
  Topic,
} from '../../../src/wire/fields.ts';

interface Examples {
  readonly schema: TSchema;
  readonly good: readonly string[];
  readonly bad: readonly unknown[];
}

const none = [undefined, null, 7, true, [], {}, ''];

const fields: Readonly<Record<string, Examples>> = {
  'a request id': {
    schema: RequestId,
    good: ['0123456789abcdef0123456789abcdef', '0'.repeat(32), 'f'.repeat(32)],
    bad: [
      ...none,
      '0'.repeat(31),
      '0'.repeat(33),
      'F'.repeat(32),
      'g'.repeat(32),
      '01234567-89ab-cdef-0123-456789abcdef',
      `${'0'.repeat(32)}\n`,
      `\n${'0'.repeat(32)}`,
    ],
  },
  'a node name': {
    schema: NodeName,
    good: ['w', 'web1', 'WEB_1', '10.0.0.7', 'web-1.example.org', '_http', 'a'.repeat(255)],
    bad: [
      ...none,
      '-web1',
      'web1-',
      '.web1',
      'web1.',
      '.',
      '..',
      'web 1',
      'web1\n',
      'web\u0000',
      'wéb1',
      '../x',
      'a/b',
      'a'.repeat(256),
    ],
  },
  'a topic': {
    schema: Topic,
    good: [
      'any',
      'Linux',
      'Debian GNU/Linux',
      'os:debian-12',
      'role:web',
      'x y',
      '*',
      '../x',
      '-x',
      'Zürich',
      '東京',
      '\u{1f4be}',
      'x'.repeat(255),
      '\u{1f4be}'.repeat(255),
    ],
    bad: [
      ...none,
      'x'.repeat(256),
      'a\nb',
      'a\n',
      'a\tb',
      'a\u0000b',
      '\u0002web1\u0000',
      '\u001b[31m',
      '\u007f',
      '\u009b31m',
      '\ud83d',
      '\udcbe',
      'a\ud83db',
    ],
  },
  'a service name': {
    schema: ServiceName,
    good: [
      'nginx',
      'getty@tty1',
      'postgresql@15-main.service',
      'php8.2-fpm',
      'libvirt-bin',
      'a+b',
      'x:y',
      '_x',
      '@x',
      '9p',
      'constructor',
      '__proto__',
      'x'.repeat(255),
    ],
    bad: [
      ...none,
      '../x',
      '..',
      'a..b',
      'x..',
      '.x',
      '/etc/init.d/x',
      'a/b',
      'a\\b',
      '-x',
      '--status-all',
      '+x',
      ':x',
      'a b',
      ' a',
      'a ',
      'a\u0000',
      '\u0000',
      'a\nb',
      'nginx\n',
      'a\r',
      'a;b',
      'a|b',
      'a&b',
      '$(a)',
      '`a`',
      'a*',
      'a%b',
      'a=b',
      '~a',
      'ä',
      'nginx\u200b',
      'ｎginx',
      'x'.repeat(256),
    ],
  },
  'an action name': {
    schema: ActionName,
    good: [...actions, 'configtest', 'x', 'upgrade2', 'x'.repeat(32)],
    bad: [...none, 'Start', 'start ', '-start', '2start', 'start;stop', 'stárt', 'start\n', 'x'.repeat(33)],
  },
  'a state': {
    schema: State,
    good: [...states],
    bad: [...none, 'banana', 'Running', 'running ', 'running\n', 'constructor'],
  },
};

for (const [name, { schema, good, bad }] of Object.entries(fields)) {
  const Field = message(name, 4_096, schema);
  describe(name, () => {
    for (const value of good) {
      it(`may be ${shown(value)}`, () => expect(Field.parse(value)).to.equal(value));
    }
    for (const value of bad) {
      it(`is not ${shown(value)}`, () => {
        expect(() => Field.parse(value))
          .to.throw(`expected ${schema.description}`)
          .with.property('code', 'INVALID_MESSAGE');
      });
    }
  });
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing';
  return text.length <= 50 ? text : `${text.slice(0, 20)}... of ${text.length - 2} characters`;
}

describe('whatever is let through', () => {
  const isGood = (name: string) => {
    const { parse } = message(name, 4_096, fields[name]?.schema ?? Topic);
    return (value: string) => {
      try {
        return parse(value) === value;
      } catch {
        return false;
      }
    };
  };
  const nearlyName = fc.string({
    unit: fc.constantFrom(
      ...'aZ09@_.:+-/ \\\n\u0000\u001f\u007f\u009fé;$~*%'.split(''),
      '..',
      '\ud83d',
      '\u{1f4be}',
    ),
    maxLength: 12,
  });

  it('as a service name is one plain argument: no path, no option, no white space', () => {
    const isServiceName = isGood('a service name');
    fc.assert(
      fc.property(nearlyName, (value) => {
        if (!isServiceName(value)) return;
        expect(value).to.match(/^[\w@.:+-]+$/);
        expect(value).to.not.match(/^[-.+:]|\.\./);
      }),
      { numRuns: 2_000 },
    );
  });

  it('as a topic comes back from UTF-8 as it was, and fits a topic frame', () => {
    const isTopic = isGood('a topic');
    const topic = fc.oneof(nearlyName, fc.string({ unit: 'binary', maxLength: 300 }));
    fc.assert(
      fc.property(topic, (value) => {
        if (!isTopic(value)) return;
        const bytes = Buffer.from(value);
        expect(bytes.toString()).to.equal(value);
        expect(bytes.byteLength).to.be.within(1, 1_022);
        expect(bytes.every((byte) => byte > 0x1f && byte !== 0x7f)).to.equal(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the actions', () => {
  it('that only read are actions', () => {
    expect([...actions]).to.include.members([...readOnlyActions]);
  });

  it('that change a service are not among those that only read', () => {
    expect(actions.filter((action) => readOnlyActions.has(action))).to.deep.equal(['status', 'list']);
  });
});
