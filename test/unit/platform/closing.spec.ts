import { expect } from 'chai';
import { Closing } from '../../../src/platform/closing.ts';

describe('Closing', () => {
  let closed: string[];
  const part = (name: string) => ({
    name,
    async close() {
      await Promise.resolve();
      closed.push(name);
    },
  });
  const failing = (name: string) => ({
    close() {
      closed.push(name);
      throw new Error(name);
    },
  });
  const failureOf = (closing: Closing) => closing.close().catch((error: unknown) => error);

  beforeEach(() => {
    closed = [];
  });

  it('closes in reverse order, each part after the one before', async () => {
    const closing = new Closing();
    for (const name of ['log', 'store', 'socket']) closing.add(part(name));
    await closing.close();
    expect(closed).to.deep.equal(['socket', 'store', 'log']);
  });

  it('hands back the part it was given', () => {
    expect(new Closing().add(part('store')).name).to.equal('store');
  });

  it('closes only once, and lets the second caller wait for it, too', async () => {
    const closing = new Closing();
    closing.add(part('store'));
    const first = closing.close();
    await closing.close();
    expect(closed).to.deep.equal(['store']);
    await first;
  });

  it('closes every part when one fails, and throws the first failure at the end', async () => {
    const closing = new Closing();
    closing.add(part('log'));
    closing.add(failing('store'));
    closing.add(failing('socket'));
    expect(await failureOf(closing)).to.have.property('message', 'socket');
    expect(closed).to.deep.equal(['socket', 'store', 'log']);
  });

  it('closes at the end of its block', async () => {
    {
      await using closing = new Closing();
      closing.add(part('store'));
      expect(closed).to.deep.equal([]);
    }
    expect(closed).to.deep.equal(['store']);
  });
});
