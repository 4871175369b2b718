import { expect } from 'chai';
import { openNotify } from '../../../../src/platform/node/notify.ts';
import { type NotifySocket, startNotifySocket } from '../../../fakes/notify-socket.ts';

describe('openNotify', () => {
  const troubles: string[] = [];
  const open = (environment: NodeJS.ProcessEnv, program?: string) =>
    openNotify({
      environment: { PATH: process.env['PATH'], ...environment },
      pid: 77,
      onTrouble: (reason) => troubles.push(reason),
      ...(program === undefined ? {} : { program }),
    });

  beforeEach(() => {
    troubles.length = 0;
  });

  it('speaks to nobody where systemd has not started us', async () => {
    const notify = open({ WATCHDOG_USEC: '1000000' }, '/does/not/exist');
    await notify.send('READY=1');
    expect(notify.watchdogMs).to.equal(undefined);
    expect(troubles).to.deep.equal([]);
  });

  it('is watched only where systemd watches this very process', () => {
    const watched = (environment: NodeJS.ProcessEnv) =>
      open({ NOTIFY_SOCKET: '/x', ...environment }).watchdogMs;
    expect(watched({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '77' })).to.equal(30_000);
    expect(watched({ WATCHDOG_USEC: '30000000' })).to.equal(30_000);
    expect(watched({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '78' })).to.equal(undefined);
    expect(watched({ WATCHDOG_USEC: 'often' })).to.equal(undefined);
    expect(watched({ WATCHDOG_USEC: '0' })).to.equal(undefined);
    expect(watched({})).to.equal(undefined);
  });

  it('tells of what does not arrive, and goes on', async () => {
    const notify = open({ NOTIFY_SOCKET: '/does/not/exist' }, '/no/such/systemd-notify');
    await notify.send('READY=1');
    await notify.send('STOPPING=1');
    expect(troubles).to.have.length(2);
    expect(troubles[0]).to.include('/no/such/systemd-notify ENOENT');
  });

  describe('to a socket', () => {
    let socket: NotifySocket;

    beforeEach(async () => {
      socket = await startNotifySocket();
    });
    afterEach(() => socket.close());

    it('says when a reload began, by the clock that systemd reads', async () => {
      const before = process.hrtime.bigint() / 1_000n;
      await open({ NOTIFY_SOCKET: socket.path }).send('RELOADING=1');
      const [lines = []] = socket.messages;
      expect(lines[0]).to.equal('RELOADING=1');
      const began = BigInt(/^MONOTONIC_USEC=(\d+)$/.exec(lines[1] ?? '')?.[1] ?? 0);
      expect(began >= before && began <= process.hrtime.bigint() / 1_000n).to.equal(true);
    });

    it('lets no text pass for an assignment of its own', async () => {
      await open({ NOTIFY_SOCKET: socket.path }).send('STATUS=all is\nSTOPPING=1');
      expect(socket.messages).to.deep.equal([['STATUS=all is STOPPING=1']]);
    });
  });
});
