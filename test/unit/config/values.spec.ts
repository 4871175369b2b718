import { expect } from 'chai';
import fc from 'fast-check';
import type { Format } from '../../../src/config/key.ts';
import * as values from '../../../src/config/values.ts';

/** Each line: the text, and what it becomes; undefined where it is refused. */
function reads<T>(
  name: string,
  format: Format<T>,
  table: readonly (readonly [string, T | undefined])[],
): void {
  describe(`config values: ${name}`, () => {
    for (const [text, value] of table) {
      const shown = JSON.stringify(text.slice(0, 40));
      it(
        value === undefined ? `refuses ${shown}` : `reads ${shown} as ${JSON.stringify(value)}`.slice(0, 90),
        () => {
          expect(format.parse(text)).to.deep.equal(value);
        },
      );
    }
  });
}

const kept = (...texts: string[]) => texts.map((text) => [text, text] as const);
const refused = (...texts: string[]) => texts.map((text) => [text, undefined] as const);

reads('endpoint to bind', values.bindEndpoint, [
  ...kept('tcp://*:5500', 'tcp://127.0.0.1:5500', 'tcp://eth0:1', 'tcp://[::1]:65535', 'tcp://*:*'),
  ...kept('ipc:///run/service-mgr/frontend.sock', 'ipc://@abstract'),
  ...refused(
    '',
    'tcp://*',
    'tcp://*:0',
    'tcp://*:65536',
    'tcp://*:99999',
    'tcp://*:05500',
    'tcp://*:55x',
    'tcp://:5500',
  ),
  ...refused(
    '*:5500',
    'udp://*:5500',
    'tcp://a b:1',
    'tcp://-x:1',
    'tcp://*:5500/',
    'TCP://*:5500',
    'tcp://*:1,tcp://*:2',
  ),
  ...refused('ipc://', 'ipc://relative', 'ipc:///', 'ipc:///with blank', `ipc:///${'x'.repeat(107)}`),
]);

reads('endpoint to connect', values.connectEndpoint, [
  ...kept('tcp://localhost:5600', 'tcp://web-1.example.org:5600', 'tcp://10.0.0.1:1', 'ipc:///run/x.sock'),
  ...refused(
    '',
    'tcp://*:5600',
    'tcp://localhost:*',
    'localhost:5600',
    'tcp://localhost',
    'ipc:///run/*.sock',
  ),
]);

reads('list', values.listOf(values.wholeNumber(1, 9)), [
  ['1', [1]],
  ['1,2', [1, 2]],
  ['  3 ,  1 ', [3, 1]],
  ...refused('', ',', '1,', ',1', '1,,2', '1,10', '1 2', '1,1', '"1"'),
]);

reads('list that may be empty', values.listOrNone<string>(values.topic), [
  ['', []],
  ['Debian GNU/Linux, role:web', ['Debian GNU/Linux', 'role:web']],
  ...refused(',', 'web,', '"a", "b"', "a, 'b'", 'web, web'),
]);

reads('duration', values.duration(100, 86_400_000), [
  ['5', 5_000],
  ['0.5', 500],
  ['0.1', 100],
  ['90s', 90_000],
  ['1.5m', 90_000],
  ['24h', 86_400_000],
  ['86400', 86_400_000],
  ...refused(
    '',
    '0',
    '0.09',
    '86400.1',
    '25h',
    '-1',
    '5 s',
    '5ms',
    '.5',
    '5.',
    '1e3',
    'NaN',
    'Infinity',
    '5,5',
  ),
]);

reads('byte size', values.byteSize(1_024, 262_144), [
  ['1024', 1_024],
  ['1KiB', 1_024],
  ['64KiB', 65_536],
  ['262144', 262_144],
  ...refused('', '1023', '262145', '257KiB', '1MiB', '64kB', '64K', '1.5KiB', '-1', '64 KiB', '0x400'),
]);

reads('byte size in MiB', values.byteSize(1, 2_097_152), [['2MiB', 2_097_152], ...refused('3MiB')]);

reads('whole number', values.wholeNumber(0, 100), [
  ['0', 0],
  ['100', 100],
  ['007', 7],
  ...refused('', '101', '-1', '1.0', '1e1', '0x1', ' ', 'ten', '9'.repeat(400)),
]);

reads('word', values.oneOf(['v1', 'v2']), [['v1', 'v1'], ...refused('', 'v3', 'V2', '2', 'v1 or v2')]);

reads<string>('node name', values.nodeName, [
  ...kept('web1', 'web-1.example.org', '_x', 'a', 'x'.repeat(255)),
  ...refused('', '-web1', 'web1.', 'web 1', 'web/1', 'wéb', 'x'.repeat(256)),
]);

reads<string>('topic', values.topic, [
  ...kept('any', 'Debian GNU/Linux', 'role:web', 'os:debian-12', 'büro', 'x'.repeat(255)),
  ...refused('', 'a\tb', 'a\0b', '\u0002a', 'x'.repeat(256)),
]);

reads<string>('action', values.actionName, [
  ...kept('configtest', 'try-restart', 'x2'),
  ...refused('', 'Start', '-x', '2x', 'a b', '../x', 'x;y', 'x'.repeat(33)),
]);

reads('role', values.roleName, [
  ...kept('web', 'db-1', 'a.b_c'),
  ...refused('', '-web', 'a b', 'role:web', 'a/b', 'wéb'),
]);

reads('absolute path', values.absolutePath, [
  ...kept('/var/lib/service-mgr', '/srv/with blank'),
  ...refused('', '/', 'var/lib', './x', '~/x', '/a\0b', '/a\nb', `/${'x'.repeat(1_024)}`),
]);

reads('program', values.programFile, [
  ...kept('service', '/usr/sbin/service', 'service8.sh'),
  ...refused('', './service', '../service', 'bin/service', 'service x', '-service', '/', '/bin/\0'),
]);

describe('config values', () => {
  const formats: Readonly<Record<string, Format<unknown>>> = {
    bindEndpoint: values.bindEndpoint,
    connectEndpoint: values.connectEndpoint,
    endpoints: values.listOf(values.connectEndpoint),
    topics: values.listOrNone(values.topic),
    duration: values.duration(100, 1_000),
    byteSize: values.byteSize(1, 1_000),
    wholeNumber: values.wholeNumber(1, 1_000),
    protocol: values.oneOf(['v1', 'v2']),
    nodeName: values.nodeName,
    actionName: values.actionName,
    roleName: values.roleName,
    absolutePath: values.absolutePath,
    programFile: values.programFile,
  };
  for (const [name, format] of Object.entries(formats)) {
    it(`${name} says what it expects, and never throws`, () => {
      expect(format.expected).to.match(/\S{2}/);
      fc.assert(
        fc.property(fc.string({ unit: 'binary' }), (text) => {
          format.parse(text);
        }),
      );
    });
  }
});

describe('examples of a value', () => {
  const hourMs = 3_600_000;
  const formats: ReadonlyArray<readonly [format: Format<number>, expected: string]> = [
    [
      values.duration(0, 400 * 24 * hourMs),
      'a time from 0 to 34560000 seconds, such as 5, 0.5, 90s, 5m, 1h or 7d',
    ],
    [values.duration(1_000, 24 * hourMs), 'a time from 1 to 86400 seconds, such as 5, 90s, 5m or 1h'],
    [values.duration(60_000, 80_000), 'a time from 60 to 80 seconds'],
    [values.duration(100, 1_000), 'a time from 0.1 to 1 seconds, such as 0.5'],
    [
      values.byteSize(1_024, 262_144),
      'a size from 1024 to 262144 bytes, such as 1024 or 64KiB (KiB, MiB and GiB are known)',
    ],
    [
      values.byteSize(1_048_576, 1_073_741_824),
      'a size from 1048576 to 1073741824 bytes, such as 1048576 or 64MiB (KiB, MiB and GiB are known)',
    ],
  ];
  for (const [format, expected] of formats) {
    it(`are within the range: ${expected}`, () => expect(format.expected).to.equal(expected));
  }
});

reads('an endpoint of which only the port is told', values.bindTcpEndpoint, [
  ...kept('tcp://*:5750', 'tcp://127.0.0.1:*'),
  ...refused('ipc:///run/p.sock', 'tcp://*', ''),
]);
