import { expect } from 'chai';
import { Connections } from '../../../src/client/connections.ts';
import { askManagement, type ManagementCommand } from '../../../src/client/management.ts';
import { serve } from '../../../src/platform/serve.ts';
import { type CurveKeys, curveBytes, newCurveKeys } from '../../../src/security/keys.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';

const status: ManagementCommand = { cmd: 'manager.status' };

/** The keys of a daemon, and those with which its management socket is asked. */
interface Keys {
  readonly own: CurveKeys;
  readonly typed: CurveKeys;
}

function bytesOf({ publicKey, secretKey }: CurveKeys) {
  return { publicKey: curveBytes(publicKey), secretKey: curveBytes(secretKey) };
}

/** Asks a daemon that replies so. */
async function ask(reply: object | string | undefined, command: ManagementCommand = status, keys?: Keys) {
  const clock = new ManualClock();
  const sockets = new MemorySockets({ clock });
  const asked: string[] = [];
  const server = keys && ({ kind: 'server', domain: 'management', ...bytesOf(keys.own) } as const);
  sockets.authenticate((peer) => server?.publicKey.equals(peer.publicKey) === true);
  const daemon = await sockets.bindReply('tcp://*:5800', server === undefined ? {} : { security: server });
  void serve(daemon, ([frame]) => {
    asked.push(`${frame}`);
    if (reply !== undefined)
      daemon.send([Buffer.from(typeof reply === 'string' ? reply : JSON.stringify(reply))]);
  });
  const typed = keys && bytesOf(keys.typed);
  const client = typed && ({ kind: 'client', ...typed, serverKeys: [bytesOf(keys.own).publicKey] } as const);
  const securities = client === undefined ? undefined : { securityOf: () => client };
  const connections = new Connections(sockets, clock, securities);
  const asking = askManagement('tcp://localhost:5800', command, 2_000, connections).catch(
    (thrown: unknown) => thrown,
  );
  await clock.advanceAsync(2_000);
  await connections.close();
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

describe('a command', () => {
  it('may have arguments', async () => {
    const command = { cmd: 'manager.keys.accept', args: { fingerprint: 'SHA256:abcdefgh' } };
    const { asked } = await ask({ success: 0, msg: 'done' }, command);
    expect(asked).to.deep.equal([JSON.stringify(command)]);
  });

  it('is refused with the code of the daemon', async () => {
    const refusal = { success: -1, msg: 'no key has the fingerprint x', code: 'UNKNOWN_KEY' };
    const { said } = await ask(refusal);
    expect(said).to.include({
      code: 'UNKNOWN_KEY',
      message: 'tcp://localhost:5800 refused: no key has the fingerprint x',
    });
    expect((await ask({ ...refusal, code: 'NO_SUCH' })).said).to.include({ code: 'REFUSED' });
  });
});

describe('a daemon with keys', () => {
  const own = newCurveKeys();

  it('answers to its own', async () => {
    const reply = { success: 0, msg: 'fine' };
    expect((await ask(reply, status, { own, typed: own })).said).to.deep.equal(reply);
  });

  it('hears nobody else, and that is said', async () => {
    const { asked, said } = await ask({}, status, { own, typed: newCurveKeys() });
    expect(said).to.include({
      code: 'MANAGER_UNREACHABLE',
      message:
        'tcp://localhost:5800: the server does not know this key (any more), or has no room for another connection',
    });
    expect(asked).to.deep.equal([]);
  });
});
