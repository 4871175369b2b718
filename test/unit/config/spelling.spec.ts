import { expect } from 'chai';
import { advice, nearest } from '../../../src/config/spelling.ts';

const names = ['frontend_endpoint', 'sink_endpoint', 'extra'];

describe('config spelling', () => {
  for (const [word, meant] of [
    ['frontend_endpiont', 'frontend_endpoint'],
    ['frontendendpoint', 'frontend_endpoint'],
    ['frontend-endpoint', 'frontend_endpoint'],
    ['Frontend_Endpoint', 'frontend_endpoint'],
    ['sink_endpoints', 'sink_endpoint'],
    ['extr', 'extra'],
  ] as const) {
    it(`finds ${meant} near ${word}`, () => {
      expect(nearest(word, names)).to.equal(meant);
    });
  }

  for (const word of ['', 'port', 'exit', 'endpoint', 'x'.repeat(1_000_000)]) {
    it(`finds nothing near ${JSON.stringify(word.slice(0, 20))} (${word.length} letters)`, () => {
      expect(nearest(word, names)).to.equal(undefined);
    });
  }

  it('prefers the nearer of two', () => {
    for (const names of [
      ['backend', 'backend22'],
      ['backend22', 'backend'],
    ]) {
      expect(nearest('backend1', names)).to.equal('backend');
    }
  });

  it('advises the near name, else all of them', () => {
    expect(advice('sink_endpoin', names)).to.equal('did you mean sink_endpoint?');
    expect(advice('colour', names)).to.equal('expected frontend_endpoint, sink_endpoint, extra');
  });
});
