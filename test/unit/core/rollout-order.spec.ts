import { expect } from 'chai';
import { orderNodes } from '../../../src/core/rollout-order.ts';
import { message } from '../../../src/wire/codec.ts';
import { NodeName } from '../../../src/wire/fields.ts';

const node = message('node', 300, NodeName).parse;
const nodes = ['web10', 'db1', 'web2', 'web1', 'db20', 'mail1', 'dns1', 'ldap1'].map(node);
const named = ['db1', 'db20', 'dns1', 'ldap1', 'mail1', 'web1', 'web2', 'web10'];

describe('the order of a rollout', () => {
  it('by name is as people count', () => {
    expect(orderNodes(nodes, 'name', 7)).to.deep.equal(named);
  });

  it('by roster is as the nodes are given', () => {
    expect(orderNodes(nodes, 'roster', 7)).to.deep.equal(nodes);
  });

  it('at random is the same for the same seed, however the nodes are given', () => {
    const drawn = orderNodes(nodes, 'random', 7);
    expect(orderNodes([...nodes].reverse(), 'random', 7)).to.deep.equal(drawn);
    expect([...drawn].sort()).to.deep.equal([...nodes].sort());
  });

  it('at random is another for another seed', () => {
    const orders = [1, 2, 3, 4].map((seed) => orderNodes(nodes, 'random', seed).join());
    expect(new Set(orders)).to.have.lengthOf(4);
    expect(orders).to.not.include(named.join());
  });
});
