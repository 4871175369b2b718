import { expect } from 'chai';
import { Connections } from '../../../src/client/connections.ts';
import { askManagement } from '../../../src/client/management.ts';
import { serve } from '../../../src/platform/serve.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';

/** Asks a daemon that replies so. */
async function ask(reply: object | string | undefined) {
  const sockets = new MemorySockets();
  const clock = new ManualClock();
  const asked: string[] = [];
  const daemon = await sockets.bindReply('tcp://*:5800');
  void serve(daemon, ([frame]) => {
    asked.push(`${frame}`);
    if (reply !== undefined)
      daemon.send([Buffer.from(typeof reply === 'string' ? reply : JSON.stringify(reply))]);
  });
  const connections = new Connections(sockets, clock);
  const command = { cmd: 'manager.status' };
  const asking = askManagement('tcp://localhost:5800', command, 2_000, connections).catch(
    (thrown: unknown) => thrown,
  );
  await clock.advanceAsync(2_000);
  return { asked, said: await asking };
}

describe('a daemon', () => {
  it('is asked by a command, and its reply is given', async () => {
    const reply = { success: 0, msg: 'fine', result: { status: 'running' } };
    const { asked, said } = await ask(reply);
    expect([asked, said]).to.deep.equal([['{"cmd":"manager.status"}'], reply]);
  });

  it('that does not answer in time is unreachable', async () => {
    const { said } = await ask(undefined);
    expect(said).to.include({
      code: 'MANAGER_UNREACHABLE',
      message: 'tcp://localhost:5800 did not answer within 2 s',
    });
  });

  it('may refuse', async () => {
    const { said } = await ask({ success: -1, msg: 'Unknown command received' });
    expect(said).to.include({
      code: 'REFUSED',
      message: 'tcp://localhost:5800 refused: Unknown command received',
    });
  });

  it('may talk nonsense', async () => {
    for (const reply of ['nonsense', '{}', '[]'])
      expect((await ask(reply)).said).to.include({ code: 'INVALID_REPLY' });
  });
});
