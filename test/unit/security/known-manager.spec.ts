import { expect } from 'chai';
import fc from 'fast-check';
import { newCurveKeys } from '../../../src/security/keys.ts';
import {
  type KnownManager,
  keysOfManager,
  printKnownManager,
  readKnownManager,
  withNextKey,
  withProvedKey,
} from '../../../src/security/known-manager.ts';
import { refusalOf } from './refusal.ts';

const key = newCurveKeys().publicKey;
const nextKey = newCurveKeys().publicKey;
const full = {
  name: 'mgr1',
  key,
  nextKey,
  endpoints: {
    join: 'tcp://mgr1.example.net:5850',
    frontend: 'tcp://mgr1.example.net:5500',
    backend: 'tcp://[2001:db8::1]:5600',
    sink: 'ipc:///run/service-mgr/sink',
  },
} satisfies KnownManager;
const least: KnownManager = {
  name: 'mgr1',
  key,
  endpoints: { join: 'tcp://10.0.0.1:5850', frontend: undefined, backend: undefined, sink: undefined },
};
const text = printKnownManager(full);

const withLine = (field: string, line: string) =>
  text.replace(new RegExp(`^${field} = .*$`, 'm'), () => line);

function problem(wrong: string): string {
  const refusal = refusalOf(() => readKnownManager(wrong, 'MANAGER'));
  expect(refusal.code).to.equal('BAD_CONFIG');
  return refusal.message;
}

describe('a manager that is known', () => {
  it('is written line by line, with nothing secret', () => {
    expect(text).to.equal(
      [
        '# A manager that was joined, and is known by this key. There is nothing secret in this file.',
        'name = mgr1',
        `curve_public = ${key}`,
        `next_curve_public = ${nextKey}`,
        'join_endpoint = tcp://mgr1.example.net:5850',
        'frontend_endpoint = tcp://mgr1.example.net:5500',
        'backend_endpoint = tcp://[2001:db8::1]:5600',
        'sink_endpoint = ipc:///run/service-mgr/sink',
        '',
      ].join('\n'),
    );
  });

  for (const [what, manager] of Object.entries({ 'with all there is': full, 'with the least': least })) {
    it(`${what} is read back as it was`, () => {
      expect(readKnownManager(printKnownManager(manager), 'MANAGER')).to.deep.equal(manager);
    });
  }

  it('is read back whatever its key, its name and its endpoints are', () => {
    const endpoint = fc.stringMatching(/^(?:tcp|ipc):\/\/[!-~]{1,255}$/);
    const name = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}[A-Za-z0-9_]$/);
    fc.assert(
      fc.property(name, endpoint, fc.option(endpoint, { nil: undefined }), (called, join, sink) => {
        const own = newCurveKeys().publicKey;
        const endpoints = { ...least.endpoints, join, sink };
        const manager: KnownManager = { name: called, key: own, endpoints };
        expect(readKnownManager(printKnownManager(manager), 'MANAGER')).to.deep.equal(manager);
      }),
    );
  });

  const endpoint = 'expected tcp://HOST:PORT or ipc://PATH';
  const wrong: ReadonlyArray<[field: string, line: string, message: string]> = [
    ['name', 'name = ../x', 'MANAGER:2: name is "../x", expected the name of a manager'],
    ['name', '# none', 'MANAGER: name is missing, expected the name of a manager'],
    ['curve_public', 'curve_public = ~', 'MANAGER:3: curve_public is "~", expected 40 characters of Z85'],
    ['curve_public', '# none', 'MANAGER: curve_public is missing, expected 40 characters of Z85'],
    [
      'next_curve_public',
      'next_curve_public =',
      'MANAGER:4: next_curve_public is empty, expected 40 characters of Z85',
    ],
    ['join_endpoint', '# none', `MANAGER: join_endpoint is missing, ${endpoint}`],
    ['join_endpoint', 'join_endpoint = mgr1', `MANAGER:5: join_endpoint is "mgr1", ${endpoint}`],
    ['frontend_endpoint', 'frontend_endpoint =', `MANAGER:6: frontend_endpoint is empty, ${endpoint}`],
    ['backend_endpoint', 'backend_endpoint = tcp://', `MANAGER:7: backend_endpoint is "tcp://", ${endpoint}`],
    ['sink_endpoint', 'sink_endpoint = ftp://x', `MANAGER:8: sink_endpoint is "ftp://x", ${endpoint}`],
  ];
  for (const [field, line, message] of wrong) {
    it(`is refused with "${line}" as its ${field}`, () => {
      expect(problem(withLine(field, line))).to.equal(message);
    });
  }

  it('is refused with an endpoint that is longer than any', () => {
    const host = 'x'.repeat(255);
    expect(() =>
      readKnownManager(withLine('sink_endpoint', `sink_endpoint = tcp://${host}`), 'M'),
    ).to.not.throw();
    expect(problem(withLine('sink_endpoint', `sink_endpoint = tcp://${host}x`))).to.equal(
      `MANAGER:8: sink_endpoint is a text of 262 characters, ${endpoint}`,
    );
  });

  it('is refused with all that is wrong with it at once, and with what no such file has', () => {
    const secret = 'curve_secret = x\n';
    expect(problem(secret + withLine('name', 'name = -'))).to.equal(
      [
        'MANAGER:1: expected FIELD = VALUE with one of name, curve_public, next_curve_public, join_endpoint, ' +
          'frontend_endpoint, backend_endpoint, sink_endpoint',
        'MANAGER:3: name is "-", expected the name of a manager',
      ].join('\n'),
    );
  });
});

describe('the keys of a manager', () => {
  it('are the one that it has, and before the one that it is going to have', () => {
    expect([keysOfManager(full), keysOfManager(least)]).to.deep.equal([[key, nextKey], [key]]);
  });

  it('are only the next one when it has proved that', () => {
    const after = withProvedKey(full, nextKey);
    expect(keysOfManager(after)).to.deep.equal([nextKey]);
    expect(after).to.deep.include({ name: 'mgr1', endpoints: full.endpoints });
  });

  it('stay as they are when it has proved the present one, or one that nobody was told of', () => {
    expect(withProvedKey(full, key)).to.equal(full);
    expect(withProvedKey(full, newCurveKeys().publicKey)).to.equal(full);
    expect(withProvedKey(least, nextKey)).to.equal(least);
  });

  it('are two when it has told of another one, the latest', () => {
    const later = newCurveKeys().publicKey;
    expect(keysOfManager(withNextKey(least, nextKey))).to.deep.equal([key, nextKey]);
    expect(keysOfManager(withNextKey(full, later))).to.deep.equal([key, later]);
  });

  it('are the same when it tells of what is known', () => {
    expect(withNextKey(full, nextKey)).to.equal(full);
    expect(withNextKey(full, key)).to.equal(full);
  });
});
