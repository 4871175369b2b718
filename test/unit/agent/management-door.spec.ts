import { expect } from 'chai';
import { ManagementDoor } from '../../../src/agent/management-door.ts';
import { serve } from '../../../src/platform/serve.ts';
import type { ClientSecurity } from '../../../src/platform/socket-security.ts';
import { type CurveKeys, curveBytes, newCurveKeys } from '../../../src/security/keys.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import { rejection } from '../../fakes/inbox.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';

const [own, stranger] = [newCurveKeys(), newCurveKeys()];

/** Opens the door of an agent that answers `yes`. */
async function opened(keys: CurveKeys | undefined) {
  const clock = new ManualClock();
  const sockets = new MemorySockets({ clock });
  const door = await ManagementDoor.open(sockets, 'tcp://*:6000', keys);
  void serve(door.socket, () => door.socket.send([Buffer.from('yes')]));
  /** What somebody gets to hear who has `mine` and expects an agent that has `theirs`; without keys: who speaks plainly. */
  const ask = async (mine?: CurveKeys, theirs = mine): Promise<string> => {
    const security = mine && theirs ? { security: clientOf(mine, theirs) } : {};
    let said = 'nothing';
    const onHandshakeFailed = (failure: string) => {
      said = failure;
    };
    const socket = sockets.connectDealer('tcp://localhost:6000', { ...security, onHandshakeFailed });
    void serve(socket, ([, frame]) => {
      said = `${frame}`;
    });
    socket.send([Buffer.alloc(0), Buffer.from('?')]);
    await clock.advanceAsync(0);
    await socket.close();
    return said;
  };
  return { door, ask, sockets };
}

function clientOf({ publicKey, secretKey }: CurveKeys, server: CurveKeys): ClientSecurity {
  const mine = { publicKey: curveBytes(publicKey), secretKey: curveBytes(secretKey) };
  return { kind: 'client', ...mine, serverKeys: [curveBytes(server.publicKey)] };
}

describe('the management door of an agent with security', () => {
  it('is for whoever has its own keys', async () => {
    const { ask } = await opened(own);
    expect(await ask(own)).to.equal('yes');
  });

  it('is for nobody else, whatever he knows of it', async () => {
    const { ask } = await opened(own);
    expect(await ask(stranger, own)).to.equal('refused');
    expect(await ask(stranger)).to.equal('cut off');
    expect(await ask()).to.equal('mechanism');
  });

  it('is for its new keys alone when it has new ones', async () => {
    const { door, ask } = await opened(own);
    const next = newCurveKeys();
    await door.replaceOwnKeys(next);
    expect(await ask(next)).to.equal('yes');
    expect(await ask(own)).to.equal('cut off');
    expect(await ask(own, next)).to.equal('refused');
    await door.replaceOwnKeys(own);
    expect([await ask(own), await ask(next)]).to.deep.equal(['yes', 'cut off']);
  });

  it('is left alone by keys that are the same', async () => {
    const { door, sockets } = await opened(own);
    let asked = 0;
    const authenticate = sockets.authenticate.bind(sockets);
    sockets.authenticate = (...args) => {
      asked += 1;
      authenticate(...args);
    };
    await door.replaceOwnKeys({ ...own });
    expect(asked).to.equal(0);
  });

  it('says so when it is lost over its new keys', async () => {
    const { door } = await opened(own);
    door.socket.rekey = () => Promise.reject(new ServiceManagerError('ENDPOINT_UNUSABLE', 'taken'));
    expect(await rejection(door.replaceOwnKeys(newCurveKeys()))).to.include({ code: 'ENDPOINT_UNUSABLE' });
  });

  it('is shut when it is closed', async () => {
    const { door, ask } = await opened(own);
    await door.close();
    expect(await ask(own)).to.equal('nothing');
  });
});

describe('the management door of an agent without security', () => {
  it('is for whoever reaches it, and stays so', async () => {
    const { door, ask } = await opened(undefined);
    expect(await ask()).to.equal('yes');
    await door.replaceOwnKeys(own);
    expect(await ask()).to.equal('yes');
    expect(await ask(own)).to.equal('mechanism');
  });

  it('cannot be opened where somebody else is', async () => {
    const { sockets } = await opened(undefined);
    const opening = ManagementDoor.open(sockets, 'tcp://*:6000', own);
    expect(await rejection(opening)).to.include({ code: 'ENDPOINT_UNUSABLE' });
  });
});
