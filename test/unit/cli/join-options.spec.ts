import { expect } from 'chai';
import { joinEndpoint } from '../../../src/cli/join-options.ts';

describe('where a manager is joined', () => {
  const good: ReadonlyArray<readonly [typed: string, endpoint: string]> = [
    ['tcp://mgr1', 'tcp://mgr1:5850'],
    ['tcp://mgr1.example.org', 'tcp://mgr1.example.org:5850'],
    ['tcp://mgr1:15850', 'tcp://mgr1:15850'],
    ['tcp://192.0.2.7', 'tcp://192.0.2.7:5850'],
    ['tcp://[2001:db8::7]', 'tcp://[2001:db8::7]:5850'],
    ['tcp://[2001:db8::7]:1', 'tcp://[2001:db8::7]:1'],
  ];
  for (const [typed, endpoint] of good) {
    it(`is ${endpoint} for ${typed}`, () => {
      expect(joinEndpoint.parse(typed)).to.equal(endpoint);
    });
  }

  const bad = ['', 'mgr1', 'tcp://', 'tcp://*', 'tcp://*:5850', 'tcp://mgr1:', 'tcp://mgr1:0', 'tcp://a b'];
  for (const typed of [
    ...bad,
    'tcp://mgr1:65536',
    'tcp://mgr1:*',
    'ipc:///run/x',
    'http://mgr1',
    'tcp://[]',
  ]) {
    it(`is not "${typed}"`, () => {
      expect(joinEndpoint.parse(typed)).to.equal(undefined);
    });
  }
});
