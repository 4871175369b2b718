import { expect } from 'chai';
import { Mailbox } from '../../../src/client/mailbox.ts';

async function turn(): Promise<void> {
  await new Promise(setImmediate);
}

/** Takes from the mailbox in the background. */
function takingFrom(mailbox: Mailbox<number>) {
  const state = { taken: [] as number[], isOver: false };
  void (async () => {
    for await (const item of mailbox.items()) state.taken.push(item);
    state.isOver = true;
  })();
  return state;
}

describe('a mailbox', () => {
  it('gives what is in it, in order, and waits for more', async () => {
    const mailbox = new Mailbox<number>();
    mailbox.put(1);
    mailbox.put(2);
    const state = takingFrom(mailbox);
    await turn();
    expect(state).to.deep.equal({ taken: [1, 2], isOver: false });
    mailbox.put(3);
    await turn();
    expect(state.taken).to.deep.equal([1, 2, 3]);
  });

  it('ends when it is closed and empty', async () => {
    const mailbox = new Mailbox<number>();
    mailbox.put(1);
    mailbox.close();
    mailbox.close();
    const state = takingFrom(mailbox);
    await turn();
    expect([state, mailbox.isClosed]).to.deep.equal([{ taken: [1], isOver: true }, true]);
  });

  it('wakes who waits when it is closed', async () => {
    const mailbox = new Mailbox<number>();
    const state = takingFrom(mailbox);
    await turn();
    mailbox.close();
    await turn();
    expect(state).to.deep.equal({ taken: [], isOver: true });
  });
});
