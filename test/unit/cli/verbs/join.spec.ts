import { expect } from 'chai';
import { fingerprintOfKeys } from '../../../../src/cli/formats/own-keys.ts';
import { newSecretKeys } from '../../../../src/security/key-file.ts';
import { printCurvePublic } from '../../../../src/security/keys.ts';
import { JoinableManager } from '../../../fakes/joinable-manager.ts';
import { PersonHost } from '../../../fakes/person-host.ts';

async function met(name = 'mgr1') {
  const host = new PersonHost();
  const manager = await new JoinableManager(host.sockets, host.clock, name).start();
  const fingerprint = () => {
    const keys = host.folder.load();
    return keys === undefined ? 'none' : fingerprintOfKeys(keys);
  };
  return { host, manager, fingerprint };
}

const keyFile = '/home/alice/.config/service-mgr/client.key';

describe('service-mgr-client join', () => {
  it('has a person let in with a token under his login name', async () => {
    const { host, manager, fingerprint } = await met();
    expect(await host.end(`join ${manager.token('operator')} --manager tcp://mgr1`)).to.deep.equal({
      ...{ code: 0, out: '' },
      error: [
        `made the keys of operator alice: ${keyFile}`,
        `joined manager mgr1 as operator alice, ${fingerprint()}`,
        'try: service-mgr-client nodes',
        '',
      ].join('\n'),
    });
    expect(manager.known).to.deep.equal(['operator alice accepted']);
    expect(host.keyFiles.exists('/home/alice/.config/service-mgr/managers/mgr1.manager')).to.equal(true);
  });

  it('takes the token from standard input, which nobody else on the host can read', async () => {
    const { host, manager } = await met();
    host.terminal.input = `${manager.token('operator')}\n`;
    expect((await host.end('join - --manager tcp://mgr1')).code).to.equal(0);
    expect(manager.known).to.deep.equal(['operator alice accepted']);
  });

  it('is told when standard input has none, and nothing is made then', async () => {
    const { host } = await met();
    host.terminal.input = '\n';
    const { code, error } = await host.end('join - --manager tcp://mgr1');
    expect(code).to.equal(64);
    expect(error).to.include('expected a join token on standard input');
    expect(host.keyFiles.files.size).to.equal(0);
  });

  it('goes by the name of the token, or the one that is given', async () => {
    const named = await met();
    await named.host.end(`join ${named.manager.token('operator', 'bob')} --manager tcp://mgr1`);
    const given = await met();
    await given.host.end(`join ${given.manager.token('monitor')} --manager tcp://mgr1 --name nagios`);
    expect([named.manager.known, given.manager.known]).to.deep.equal([
      ['operator bob accepted'],
      ['monitor nagios accepted'],
    ]);
  });

  it('keeps keys where the configuration says', async () => {
    const { host, manager } = await met();
    host.config = '[security]\nkey_dir = /keys';
    await host.end(`join ${manager.token('operator')} --manager tcp://mgr1`);
    expect([...host.keyFiles.files.keys()]).to.deep.equal([
      '/keys/client.key',
      '/keys/managers/mgr1.manager',
    ]);
  });

  const places: ReadonlyArray<
    readonly [where: string, config: string | undefined, options: string, host: string]
  > = [
    ['on this host', undefined, '', 'localhost'],
    ['on the host of the endpoint that is configured', '[Default]\nendpoint = tcp://mgr7:15500', '', 'mgr7'],
    ['on the host of -e', undefined, ' -e tcp://mgr8:5500,tcp://mgr7:5500', 'mgr8'],
    ['on this host beside an ipc endpoint', undefined, ' -e ipc:///run/frontend', 'localhost'],
  ];
  for (const [where, config, options, name] of places) {
    it(`looks for the manager ${where} where nothing else is said`, async () => {
      const { host, manager } = await met(name);
      host.config = config;
      const { code } = await host.end(`join ${manager.token('operator')}${options}`);
      expect([code, host.folder.managers()[0]?.endpoints.join]).to.deep.equal([0, `tcp://${name}:5850`]);
    });
  }

  it('ends with 75 while somebody has to decide, and with 130 at Ctrl-C', async () => {
    const { host, manager, fingerprint } = await met();
    const line = `join --manager tcp://mgr1 --manager-key ${printCurvePublic(manager.own.publicKey)}`;
    const { code, error } = await host.end(line);
    expect(code).to.equal(75);
    expect(error).to.include(`type there: service-mgrd keys accept ${fingerprint()}\n`);
    host.clock.after(3_000, 'Ctrl-C', () => host.interrupt.abort());
    expect((await host.end(`${line} --wait 10m`)).code).to.equal(130);
  });

  it('waits as long as it is told to', async () => {
    const { host, manager, fingerprint } = await met();
    host.clock.after(5_000, 'accept', () => manager.ring.accept(fingerprint(), host.clock.wallMs()));
    const key = printCurvePublic(manager.own.publicKey);
    expect((await host.end(`join --manager tcp://mgr1 --manager-key ${key} --wait 1m`)).code).to.equal(0);
    expect(host.clock.now()).to.be.within(6_000, 7_000);
  });

  it('waits for each reply as long as all tries of a question take', async () => {
    const { host, manager } = await met();
    const token = manager.token('operator');
    const { code, error } = await host.end(`join ${token} --manager tcp://mgr9 -t 500 -r 4`);
    expect(code).to.equal(69);
    expect(error).to.include('service-mgr-client: tcp://mgr9:5850 did not answer within 2 s\n');
  });

  it('refuses the token of an agent, and that of somebody else', async () => {
    const { host, manager } = await met();
    const agent = await host.end(`join ${manager.token('agent')} --manager tcp://mgr1`);
    expect(agent.code).to.equal(64);
    expect(agent.error).to.include('it is to be used with "service-mgr-agentd join"');
    host.folder.create(newSecretKeys('operator', 'alice', 0));
    const other = await host.end(`join ${manager.token('operator', 'bob')} --manager tcp://mgr1`);
    expect([other.code, other.error]).to.deep.equal([
      64,
      `service-mgr-client: the join token is for bob, but ${keyFile} has the keys of alice\n`,
    ]);
    const named = await host.end(`join ${manager.token('operator')} --manager tcp://mgr1 --name carol`);
    expect([named.code, named.error]).to.deep.equal([
      64,
      `service-mgr-client: --name says carol, but ${keyFile} has the keys of alice\n`,
    ]);
  });

  it('asks for a name where the login name is none for keys', async () => {
    const { host, manager } = await met();
    host.userName = 'DOMAIN\\alice';
    const token = manager.token('operator');
    const { code, error } = await host.end(`join ${token} --manager tcp://mgr1`);
    expect(code).to.equal(64);
    expect(error).to.include(': say --name\n');
    expect((await host.end(`join ${token} --manager tcp://mgr1 --name alice`)).code).to.equal(0);
  });

  it('ends with 77 when the manager refuses, and when it is not the one that was joined', async () => {
    const { host, manager } = await met();
    const spent = manager.token('operator');
    manager.ring.removeToken('0000000000000001');
    expect((await host.end(`join ${spent} --manager tcp://mgr1`)).code).to.equal(77);
    await host.end(`join ${manager.token('operator')} --manager tcp://mgr1`);
    await manager.stop();
    const impostor = await new JoinableManager(host.sockets, host.clock).start();
    expect((await host.end(`join ${impostor.token('operator')} --manager tcp://mgr1`)).code).to.equal(77);
  });
});
