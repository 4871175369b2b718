import { expect } from 'chai';
import { type RunningManager, runClient, startAgent, startManager } from './harness/fleet.ts';
import { ClientOnTerminal } from './harness/on-terminal.ts';
import { cleanUp } from './harness/processes.ts';
import { wellBehaved } from './harness/services.ts';

const names = ['web1', 'web2'];

describe('an admin at a terminal', function () {
  this.timeout(60_000);
  let manager: RunningManager;

  before(async () => {
    manager = await startManager();
    for (const nodeName of names) await startAgent({ managers: [manager], nodeName });
    await manager.waitForSubscribers(names.length);
  });
  after(cleanUp);

  const line = (service: string, ...more: string[]) => [
    ...['-e', manager.endpoints.frontend, '-T', 'any', '-c', 'start', '-s', service, '-w', '20', ...more],
  ];

  it('is shown whom it would reach, and nothing runs before the word yes', async () => {
    const service = wellBehaved();
    const client = new ClientOnTerminal(line(service.name, '--format', 'table'));
    await client.waitFor(`start ${service.name} on 2 nodes? Type yes to go on: `);
    expect(client.screen).to.match(/^alive \(2\): web\[1-2\]$/m);
    expect(await service.runs()).to.deep.equal([]);
    client.type('yes\r');
    expect(await client.end(), client.screen).to.equal(0);
    for (const node of names) expect(client.screen).to.match(new RegExp(`^${node} .*ok`, 'm'));
    expect(await service.runs()).to.have.lengthOf(2);
  });

  for (const [what, typed] of [
    ['y', 'y\r'],
    ['nothing', '\r'],
    ['Ctrl-D', '\u0004'],
    ['Ctrl-C', '\u0003'],
  ] as const) {
    it(`has nothing run by ${what}`, async () => {
      const service = wellBehaved();
      const client = new ClientOnTerminal(line(service.name));
      await client.waitFor('Type yes to go on: ');
      client.type(typed);
      expect(await client.end(), client.screen).to.equal(130);
      expect(client.screen).to.include('not confirmed, nothing was sent');
      expect(await service.runs()).to.deep.equal([]);
    });
  }

  it('is not asked for what changes nothing, for --yes, or for a plan', async () => {
    const service = wellBehaved();
    const status = new ClientOnTerminal([...line(service.name), '-c', 'status']);
    expect(await status.end(), status.screen).to.equal(2);
    const { stdout } = await runClient(line(service.name, '--dry-run'));
    const token = stdout.trim().slice(-16);
    for (const sure of [['--yes'], ['--plan', token]]) {
      const client = new ClientOnTerminal(line(service.name, ...sure));
      expect(await client.end(), client.screen).to.equal(0);
      expect(client.screen).to.not.include('Type yes');
    }
    expect((await service.runs()).filter((action) => action === 'start')).to.have.lengthOf(4);
  });

  it('runs on what was shown or not at all when the fleet changes while it thinks', async () => {
    const service = wellBehaved();
    const client = new ClientOnTerminal(line(service.name));
    await client.waitFor('Type yes to go on: ');
    await startAgent({ managers: [manager], nodeName: 'web3' });
    await manager.waitForSubscribers(3);
    client.type('yes\r');
    expect(await client.end(), client.screen).to.equal(65);
    expect(client.screen).to.include('+web3');
    expect(await service.runs()).to.deep.equal([]);
  });
});
