import { expect } from 'chai';
import { Management } from '../../../src/cli/daemon-management.ts';
import { type CurveKeys, newCurveKeys } from '../../../src/security/keys.ts';
import { AuditHeadInfo } from '../../../src/wire/admin.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import type { ManagementHandlers } from '../../../src/wire/management.ts';
import { RunningManagement } from '../../fakes/management-door.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemorySockets } from '../../fakes/memory-sockets.ts';

const handlers: ManagementHandlers = {
  'x.fine': () => ({ success: 0, msg: 'fine', result: { sequence: 7, hash: 'abc' } }),
  'x.refused': () => {
    throw new ServiceManagerError('NAME_TAKEN', 'not that name');
  },
};

/** A daemon that runs with `daemonKeys`, if it runs, and a command that was given `ownKeys`. */
async function managed(ownKeys: () => CurveKeys | undefined, daemonKeys?: CurveKeys | 'away') {
  const clock = new ManualClock();
  const sockets = new MemorySockets({ clock });
  const endpoint = 'tcp://localhost:5800';
  const running =
    daemonKeys === 'away'
      ? undefined
      : await RunningManagement.start(sockets, clock, endpoint, handlers, daemonKeys);
  const management = new Management({ endpoint, ownKeys, sockets, clock });
  const settled = async <Value>(asking: Promise<Value>): Promise<unknown> => {
    const caught = asking.catch((thrown: unknown) => thrown);
    await clock.advanceAsync(5_000);
    return caught;
  };
  return { management, running, settled };
}

describe('the management of a daemon', () => {
  it('speaks plainly where the daemon has no keys', async () => {
    const { management, settled } = await managed(() => undefined);
    expect(await settled(management.ask({ cmd: 'x.fine' }))).to.deep.include({ success: 0, msg: 'fine' });
  });

  it("speaks with the daemon's own keys, and hands arguments on", async () => {
    const keys = newCurveKeys();
    const { management, running, settled } = await managed(() => keys, keys);
    expect(await settled(management.ask({ cmd: 'x.fine', args: { a: 1 } }))).to.deep.include({ msg: 'fine' });
    expect(running?.asked).to.deep.equal([{ cmd: 'x.fine', args: { a: 1 } }]);
  });

  it('is not heard with other keys, or without any', async () => {
    const keys = newCurveKeys();
    for (const own of [newCurveKeys(), undefined]) {
      const { management, running, settled } = await managed(() => own, keys);
      expect(await settled(management.ask({ cmd: 'x.fine' }))).to.include({ code: 'MANAGER_UNREACHABLE' });
      expect(running?.asked).to.deep.equal([]);
    }
  });

  it('says of a daemon that was started before it had keys how to stop it', async () => {
    const { management, settled } = await managed(() => newCurveKeys());
    expect(await settled(management.ask({ cmd: 'x.fine' }))).to.include({
      code: 'MANAGER_UNREACHABLE',
      message:
        'tcp://localhost:5800: the server does not speak CURVE: it was started before it had keys; stop it with SIGTERM, and start it again',
    });
  });

  it('can go over to other keys', async () => {
    const keys = newCurveKeys();
    const { management, settled } = await managed(() => newCurveKeys(), keys);
    expect(await settled(management.withKeys(keys).ask({ cmd: 'x.fine' }))).to.deep.include({ msg: 'fine' });
  });

  it('says who may read the keys to whoever may not', async () => {
    for (const code of ['EACCES', 'EPERM']) {
      const forbidden = () => {
        throw new ServiceManagerError('BAD_CONFIG', 'manager.key: cannot be read (no)', {
          cause: Object.assign(new Error('no'), { code }),
        });
      };
      const { management, settled } = await managed(forbidden);
      expect(await settled(management.ask({ cmd: 'x.fine' }))).to.include({
        code: 'BAD_CONFIG',
        message: 'manager.key: cannot be read (no): run it as root, or as the user of the daemon',
      });
    }
  });

  it('leaves other trouble with the keys as it is', async () => {
    const trouble = new ServiceManagerError('BAD_CONFIG', 'manager.key:3: no key');
    const { management, settled } = await managed(() => {
      throw trouble;
    });
    expect(await settled(management.ask({ cmd: 'x.fine' }))).to.equal(trouble);
  });

  it('keeps the code of a refusal', async () => {
    const { management, settled } = await managed(() => undefined);
    expect(await settled(management.ask({ cmd: 'x.refused' }))).to.include({
      code: 'NAME_TAKEN',
      message: 'tcp://localhost:5800 refused: not that name',
    });
  });

  it('gives what a command is known to give, and takes nothing else', async () => {
    const { management, settled } = await managed(() => undefined);
    expect(await settled(management.askFor({ cmd: 'x.fine' }, AuditHeadInfo))).to.deep.equal({
      ...{ sequence: 7, hash: 'abc' },
    });
    const strict = {
      name: 'Thing',
      parse: () => {
        throw new ServiceManagerError('INVALID_MESSAGE', 'no thing');
      },
    };
    expect(await settled(management.askFor({ cmd: 'x.fine' }, strict))).to.include({
      code: 'INVALID_REPLY',
      message: 'tcp://localhost:5800 sent something that is no Thing',
    });
  });

  it('waits as long as it is told to', async () => {
    const { management, settled } = await managed(() => undefined, 'away');
    expect(await settled(management.ask({ cmd: 'x.fine' }, 1_000))).to.include({
      code: 'MANAGER_UNREACHABLE',
      message: 'tcp://localhost:5800 did not answer within 1 s',
    });
  });
});
