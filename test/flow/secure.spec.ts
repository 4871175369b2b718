import { expect } from 'chai';
import { Fleet } from './fleet.ts';

const web = ['web1', 'web2', 'web3'];

describe('a fleet with security', () => {
  it('carries a request out, and collects all answers', async () => {
    const fleet = await Fleet.start({ nodes: web, isSecure: true });
    const run = await fleet.ask({});
    expect(run.outcomes).to.deep.equal({ web1: 'ok', web2: 'ok', web3: 'ok' });
    expect(run.answeredBy).to.have.members(web);
    expect(run.tookMs).to.be.below(1_000);
  });
});
