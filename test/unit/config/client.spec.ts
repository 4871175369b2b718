import { expect } from 'chai';
import { defaultClientConfig, readClientConfig } from '../../../src/config/client.ts';

const read = (...lines: string[]) => readClientConfig(['[Default]', ...lines].join('\n'), 'c.conf');

describe('client config', () => {
  it('needs nothing', () => {
    const expected = {
      endpoints: undefined,
      ...{ windowMs: 5_000, timeoutMs: 1_000, retries: 3, confirmAbove: 20 },
      security: { mode: 'auto', allowInsecure: false, keyDir: undefined },
    };
    expect(defaultClientConfig).to.deep.equal(expected);
    expect(read()).to.deep.equal(expected);
    expect(readClientConfig('', 'c.conf')).to.deep.equal(expected);
  });

  it('takes all keys', () => {
    expect(
      read(
        ...['endpoint = tcp://m1:5500, tcp://m2:5500', 'wait_time = 0.5', 'timeout = 250', 'retries = 0'],
        ...['confirm_above = 0', '[security]', 'mode = none', 'allow_insecure = yes', 'key_dir = /srv/keys'],
      ),
    ).to.deep.equal({
      endpoints: ['tcp://m1:5500', 'tcp://m2:5500'],
      windowMs: 500,
      timeoutMs: 250,
      retries: 0,
      confirmAbove: 0,
      security: { mode: 'none', allowInsecure: true, keyDir: '/srv/keys' },
    });
  });

  for (const line of ['mode = auto', 'allow_insecure = true', 'key_dir = keys']) {
    it(`refuses ${line} in [security]`, () => {
      expect(() => read('[security]', line)).to.throw(/^c\.conf:3: key [a-z_]+: value ".*", expected .*$/);
    });
  }

  for (const line of [
    'endpoint =',
    'endpoint = tcp://*:5500',
    'endpoint = tcp://m1:5500, tcp://m1:5500',
    'wait_time = 0',
    'wait_time = soon',
    'timeout = 0',
    'timeout = 1s',
    'retries = -1',
    'retries = 101',
    'confirm_above = -1',
    'confirm_above = many',
  ]) {
    it(`refuses ${line}`, () => {
      expect(() => read(line)).to.throw(/^c\.conf:2: key [a-z_]+: value ".*", expected .*$/);
    });
  }
});
