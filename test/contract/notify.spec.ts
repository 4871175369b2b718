import { expect } from 'chai';
import { openNotify } from '../../src/platform/node/notify.ts';
import type { Notify } from '../../src/platform/notify.ts';
import { startNotifySocket } from '../fakes/notify-socket.ts';
import { RecordedNotify } from '../fakes/recorded-notify.ts';

interface Opened {
  readonly notify: Notify;
  /** What has arrived, by message. */
  said(): Promise<readonly string[]>;
  close(): void;
}

const implementations: Readonly<Record<string, () => Promise<Opened>>> = {
  async SystemdNotify() {
    const socket = await startNotifySocket();
    const environment = { PATH: process.env['PATH'], NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '30000000' };
    const onTrouble = (reason: string) => {
      throw new Error(reason);
    };
    const notify = openNotify({ environment, pid: 1, onTrouble });
    return { notify, said: async () => socket.messages.flat(), close: () => socket.close() };
  },
  async RecordedNotify() {
    const notify = new RecordedNotify(30_000);
    return { notify, said: async () => notify.said, close: () => {} };
  },
};

for (const [name, open] of Object.entries(implementations)) {
  describe(`notifications: ${name}`, () => {
    let opened: Opened;

    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    it('arrive in the order of the calls', async () => {
      const { notify } = opened;
      await Promise.all([
        notify.send('READY=1', 'STATUS=3 agents, 0 open requests'),
        notify.send('WATCHDOG=1'),
        notify.send('STOPPING=1'),
      ]);
      expect(await opened.said()).to.deep.equal([
        ...['READY=1', 'STATUS=3 agents, 0 open requests'],
        ...['WATCHDOG=1', 'STOPPING=1'],
      ]);
    });

    it('say how often they are expected', () => {
      expect(opened.notify.watchdogMs).to.equal(30_000);
    });
  });
}
