import { expect } from 'chai';
import fc from 'fast-check';
import {
  fromThisHost,
  isLoopbackEndpoint,
  securityModeOf,
  type WantedSecurity,
} from '../../../src/config/exposure.ts';
import { bindEndpoint, connectEndpoint } from '../../../src/config/values.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';

const port = fc.oneof(fc.integer({ min: 1, max: 65_535 }), fc.constant('*'));
const octet = fc.integer({ min: 0, max: 255 });
const dotted = (first: fc.Arbitrary<number>) =>
  fc.tuple(first, octet, octet, octet).map((octets) => octets.join('.'));
const loopbackHost = fc.oneof(fc.constantFrom('localhost', '[::1]'), dotted(fc.constant(127)));
const otherHost = fc.oneof(
  fc.constantFrom('*', '[::]', '[::ffff:127.0.0.1]', '[::2]', '[1::1]', 'lo', 'eth0', 'ip6-localhost'),
  dotted(octet.filter((first) => first !== 127)),
  fc.domain(),
  fc.tuple(loopbackHost, fc.domain()).map(([host, domain]) => `${host}.${domain}`),
  fc.tuple(fc.domain(), loopbackHost).map(([domain, host]) => `${domain}.${host}`),
);
const tcp = (host: fc.Arbitrary<string>) => fc.tuple(host, port).map(([name, at]) => `tcp://${name}:${at}`);
const ipc = fc.stringMatching(/^[/@][!-~]{1,106}$/).map((path) => `ipc://${path}`);
const onThisHost = fc.oneof(tcp(loopbackHost), ipc);
const beyond = tcp(otherHost);

describe('an endpoint, seen from this host,', () => {
  for (const everywhere of ['*', '0.0.0.0', '[::]'])
    it(`is at localhost when it is bound to ${everywhere}`, () => {
      expect(fromThisHost(`tcp://${everywhere}:5800`)).to.equal('tcp://localhost:5800');
    });

  it('is what it is otherwise', () => {
    for (const endpoint of [
      'tcp://10.0.0.0.0.1:5800',
      'tcp://127.0.0.1:5800',
      'tcp://[::1]:1',
      'ipc:///run/*:x',
    ])
      expect(fromThisHost(endpoint)).to.equal(endpoint);
  });
});

describe('a loopback endpoint', () => {
  it('is every path, and every TCP port of localhost, 127.0.0.0/8 and ::1', () => {
    fc.assert(fc.property(onThisHost, (endpoint) => isLoopbackEndpoint(endpoint)));
  });

  it('is no other TCP port, whatever the host looks like', () => {
    fc.assert(fc.property(beyond, (endpoint) => !isLoopbackEndpoint(endpoint)));
  });

  it('is nothing else that a file may have for an endpoint', () => {
    const isOurs = (text: string) =>
      [bindEndpoint, connectEndpoint].some(({ parse }) => parse(text) === text);
    const endpoint = fc.oneof(onThisHost, beyond, tcp(fc.stringMatching(/^[\w.-]{1,20}$/))).filter(isOurs);
    const plainly = /^ipc:|^tcp:\/\/(localhost|\[::1\]|127\.\d+\.\d+\.\d+):/;
    fc.assert(
      fc.property(endpoint, (text) => {
        if (isLoopbackEndpoint(text)) expect(text).to.match(plainly);
      }),
    );
  });

  for (const endpoint of [
    'tcp://127.0.0.1',
    'tcp://127.0.0.1:5500:5600',
    'tcp://127.0.0.1:0;192.0.2.1:5500',
    'tcp://192.0.2.1:0;127.0.0.1:5500',
    'tcp://127.0.0.256:5500',
    'tcp://127.0.1:5500',
    'tcp://127-0-0-1:5500',
    'tcp://127.0.0.1.:5500',
    'tcp://0.0.0.0:5500',
    'tcp://localhost.:5500',
    'tcp://localhost\n:5500',
    'tcp://127.0.0.1:5500\n',
    'udp://127.0.0.1:5500',
    ' tcp://127.0.0.1:5500',
    '',
  ]) {
    it(`is not ${JSON.stringify(endpoint)}`, () => {
      expect(isLoopbackEndpoint(endpoint)).to.equal(false);
    });
  }
});

const remedy = 'service-mgrd keys init';

function modeOf(
  wanted: Partial<WantedSecurity & { hasKeys: boolean }>,
  endpoints: Readonly<Record<string, readonly string[]>>,
) {
  const { mode = 'auto', allowInsecure = false, hasKeys = false } = wanted;
  return securityModeOf({ mode, allowInsecure, hasKeys }, endpoints, 'm.conf', remedy);
}

function refusalOf(...given: Parameters<typeof modeOf>): ServiceManagerError | undefined {
  try {
    modeOf(...given);
    return undefined;
  } catch (error) {
    if (error instanceof ServiceManagerError) return error;
    throw error;
  }
}

const local = { frontend_endpoint: ['tcp://127.0.0.1:5500'], mgmt_endpoint: ['ipc:///run/mgmt'] };
const open = {
  frontend_endpoint: ['tcp://127.0.0.1:5500'],
  backend_endpoint: ['tcp://localhost:5600', 'tcp://*:5600', 'tcp://0.0.0.0:5601'],
  sink_endpoint: ['tcp://*:5700'],
};

describe('the security of a program', () => {
  it('is curve where the file says so, also before there are keys', () => {
    expect(modeOf({ mode: 'curve' }, open)).to.equal('curve');
  });

  it('is curve by itself where there are keys', () => {
    expect(modeOf({ hasKeys: true }, open)).to.equal('curve');
    expect(modeOf({ hasKeys: true }, local)).to.equal('curve');
  });

  it('is none by itself where there are no keys and everything stays on this host', () => {
    expect(modeOf({}, local)).to.equal('none');
    expect(modeOf({}, {})).to.equal('none');
  });

  it('is none where the file says so, without more words where everything stays on this host', () => {
    expect(modeOf({ mode: 'none' }, local)).to.equal('none');
    expect(modeOf({ mode: 'none', hasKeys: true }, local)).to.equal('none');
  });

  it('is none beyond this host where the file says both that it is none and that this is allowed', () => {
    expect(modeOf({ mode: 'none', allowInsecure: true }, open)).to.equal('none');
  });

  it('is refused without keys beyond this host, with the first such endpoint and what can be done', () => {
    const refusal = refusalOf({}, open);
    expect(refusal?.code).to.equal('BAD_CONFIG');
    expect(refusal?.message).to.equal(
      'm.conf: key backend_endpoint: value "tcp://*:5600", expected an endpoint on this host alone (127.0.0.1, [::1], ' +
        'localhost or ipc) because there is no security: run "service-mgrd keys init", or say with [security] ' +
        'mode = none and allow_insecure = yes that there is to be none',
    );
  });

  it('is refused where only one of the two things is said', () => {
    expect(refusalOf({ allowInsecure: true }, open)?.code).to.equal('BAD_CONFIG');
    const refusal = refusalOf({ mode: 'none', hasKeys: true }, open);
    expect(refusal?.code).to.equal('BAD_CONFIG');
    expect(refusal?.message).to.include(
      ': take out [security] mode = none and run "service-mgrd keys init", or say',
    );
  });

  const wanted = fc.record({
    mode: fc.constantFrom('auto' as const, 'curve' as const, 'none' as const),
    allowInsecure: fc.boolean(),
    hasKeys: fc.boolean(),
  });
  const places = fc.dictionary(
    fc.stringMatching(/^[a-z]{1,8}_endpoint$/),
    fc.array(fc.oneof(onThisHost, beyond)),
  );

  it('is never none beyond this host unless the file says so in so many words', () => {
    fc.assert(
      fc.property(wanted, places, (given, endpoints) => {
        const exposed = Object.values(endpoints)
          .flat()
          .filter((endpoint) => !isLoopbackEndpoint(endpoint));
        const isMeant = given.mode === 'none' && given.allowInsecure;
        const hasCurve = given.mode === 'curve' || (given.mode === 'auto' && given.hasKeys);
        const refusal = refusalOf(given, endpoints);
        expect(refusal !== undefined).to.equal(exposed.length > 0 && !isMeant && !hasCurve);
        if (refusal === undefined) {
          expect(modeOf(given, endpoints)).to.equal(hasCurve ? 'curve' : 'none');
        } else {
          expect(refusal.code).to.equal('BAD_CONFIG');
          for (const part of [remedy, 'mode = none', 'allow_insecure = yes'])
            expect(refusal.message).to.include(part);
        }
      }),
    );
  });
});
