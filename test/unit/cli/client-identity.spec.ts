import { expect } from 'chai';
import { clientKeyFolder, identityOf } from '../../../src/cli/client-identity.ts';
import { fingerprintOfKeys } from '../../../src/cli/formats/own-keys.ts';
import { type ClientSettings, configOf } from '../../../src/cli/global-options.ts';
import type { MainDeps } from '../../../src/cli/program.ts';
import { newSecretKeys } from '../../../src/security/key-file.ts';
import { newCurveKeys } from '../../../src/security/keys.ts';
import { claimedSigner } from '../../../src/security/signature.ts';
import { type ErrorCode, isServiceManagerError, ServiceManagerError } from '../../../src/wire/errors.ts';
import { runClient } from '../../fakes/client-program.ts';
import { memoryFiles } from '../../fakes/host-view.ts';
import { JoinableManager } from '../../fakes/joinable-manager.ts';
import { MemoryKeyFiles } from '../../fakes/memory-key-files.ts';
import { PersonHost } from '../../fakes/person-host.ts';
import { RecordedTerminal } from '../../fakes/recorded-terminal.ts';
import { nodeInfo } from '../../fakes/scripted-manager.ts';

const file = '/etc/service-mgr/service-mgr-client.conf';
const folder = '/home/alice/.config/service-mgr';

/** Somebody who runs the client with this configuration, and maybe keys and managers. */
function person(config = '') {
  const keyFiles = new MemoryKeyFiles();
  const files = memoryFiles({ [file]: config });
  const deps: MainDeps = {
    ...{ terminal: new RecordedTerminal(), files, keyFiles, configFolder: '/home/alice/.config' },
    ...{ userName: 'alice', interrupted: new AbortController().signal },
    openClient: () => {
      throw new Error('nobody is asked');
    },
  };
  const told: string[] = [];
  const settings = (endpoint?: readonly string[]): ClientSettings =>
    configOf(endpoint === undefined ? {} : { endpoint }, files);
  const keys = newSecretKeys('operator', 'alice', 0);
  const manager = {
    ...{ name: 'mgr1', key: newCurveKeys().publicKey },
    endpoints: { join: 'tcp://mgr1:5850', frontend: 'tcp://mgr1:5500' },
  };
  const own = clientKeyFolder(settings(), deps);
  const identity = (endpoint?: readonly string[]) =>
    identityOf(settings(endpoint), deps, (trouble) => told.push(trouble));
  const refusal = (endpoint?: readonly string[]): readonly [ErrorCode, string] => {
    try {
      identity(endpoint);
    } catch (error) {
      if (isServiceManagerError(error)) return [error.code, error.message];
      throw error;
    }
    throw new Error('nothing was refused');
  };
  return { keyFiles, keys, manager, own, identity, refusal, told };
}

function joined(config?: string) {
  const someone = person(config);
  someone.own.create(someone.keys);
  someone.own.keepManager(someone.manager);
  return someone;
}

describe('who asks', () => {
  it('is whoever has keys and has joined a manager', () => {
    const { identity } = joined();
    expect(identity()?.name).to.equal('operator alice');
    expect(identity()?.frontends).to.deep.equal(['tcp://mgr1:5500']);
  });

  it('is nobody known without keys, or without a manager, and then talks only to this host', () => {
    const without = person();
    const alone = person();
    alone.own.create(alone.keys);
    for (const { identity, refusal } of [without, alone]) {
      expect(identity()).to.equal(undefined);
      expect(identity(['tcp://127.0.0.1:5500', 'ipc:///run/x'])).to.equal(undefined);
      const [code, message] = refusal(['tcp://mgr1:5500']);
      expect(code).to.equal('BAD_CONFIG');
      expect(message).to.include('the command line: key -e: value "tcp://mgr1:5500"');
      expect(message).to.include('run "service-mgr-client join TOKEN"');
    }
  });

  it('is told of the file where the endpoint stands there', () => {
    const [code, message] = person('[Default]\nendpoint = tcp://mgr1:5500').refusal();
    expect([code, message.startsWith(`${file}: key endpoint: value "tcp://mgr1:5500"`)]).to.deep.equal([
      'BAD_CONFIG',
      true,
    ]);
  });

  it('may go without security in so many words, and nothing is read then', () => {
    const { keyFiles, identity } = joined('[security]\nmode = none\nallow_insecure = yes');
    keyFiles.put(`${folder}/client.key`, 'nonsense', { mode: 0o666 });
    expect(identity(['tcp://mgr1:5500'])).to.equal(undefined);
    const { refusal } = joined('[security]\nmode = none');
    expect(refusal(['tcp://mgr1:5500'])[0]).to.equal('BAD_CONFIG');
  });

  it('is told how to get keys and managers where the configuration wants them', () => {
    const config = '[security]\nmode = curve';
    expect(person(config).refusal()).to.deep.equal([
      'BAD_CONFIG',
      `${file}: [security] mode = curve, but there are no keys in ${folder}/client.key: run "service-mgr-client join TOKEN"`,
    ]);
    const alone = person(config);
    alone.own.create(alone.keys);
    expect(alone.refusal()).to.deep.equal([
      'BAD_CONFIG',
      `${file}: [security] mode = curve, but no manager was joined: run "service-mgr-client join TOKEN"`,
    ]);
    expect(joined(config).identity()?.name).to.equal('operator alice');
  });

  it('never asks with keys that others can read', () => {
    const { keyFiles, refusal } = joined();
    const keyFile = `${folder}/client.key`;
    keyFiles.put(keyFile, keyFiles.readSecret(keyFile), { mode: 0o644 });
    expect(refusal()[1]).to.include('mode is 0644');
  });

  it('has no keys in a home that is not his, unless the configuration wants them', () => {
    const hide = ({ keyFiles }: ReturnType<typeof person>, code: string) => {
      keyFiles.exists = () => {
        const cause = Object.assign(new Error('permission denied'), { code });
        throw new ServiceManagerError('BAD_CONFIG', 'client.key: cannot be looked at', { cause });
      };
    };
    const guest = joined();
    hide(guest, 'EACCES');
    expect(guest.identity()).to.equal(undefined);
    expect(guest.refusal(['tcp://mgr1:5500'])[1]).to.include('run "service-mgr-client join TOKEN"');
    const strict = joined('[security]\nmode = curve');
    hide(strict, 'EACCES');
    expect(strict.refusal()[1]).to.equal('client.key: cannot be looked at');
    const broken = joined();
    hide(broken, 'EIO');
    expect(broken.refusal()[1]).to.equal('client.key: cannot be looked at');
  });

  it('keeps what a manager says of its next key', () => {
    const { identity, own, told } = joined();
    const { publicKey } = newCurveKeys();
    identity()?.announced('tcp://mgr1:5500', publicKey);
    expect(own.managers()[0]?.nextKey).to.equal(publicKey);
    expect(told).to.deep.equal([]);
  });

  it('is told when that cannot be kept, and goes on', () => {
    const { identity, keyFiles, told } = joined();
    const me = identity();
    keyFiles.writePublic = () => {
      throw new ServiceManagerError('BAD_CONFIG', 'the disk is full');
    };
    me?.announced('tcp://mgr1:5500', newCurveKeys().publicKey);
    expect(told).to.deep.equal(['the disk is full']);
  });

  it('ends of a bug of ours', () => {
    const { identity, keyFiles } = joined();
    const me = identity();
    keyFiles.writePublic = () => {
      throw new TypeError('a bug of ours');
    };
    expect(() => me?.announced('tcp://mgr1:5500', newCurveKeys().publicKey)).to.throw(TypeError);
  });
});

describe('the client of somebody who has joined', () => {
  const nodes = { nodes: { nodes: [nodeInfo('web1')], unnamed: 0 } };

  /** At a manager on this host. */
  function atManager() {
    const managerKeys = newCurveKeys();
    const { keyFiles, keys, own } = person();
    own.create(keys);
    const frontend = 'tcp://localhost:5500';
    const manager = { name: 'mgr1', key: managerKeys.publicKey };
    own.keepManager({ ...manager, endpoints: { join: 'tcp://localhost:5850', frontend } });
    return { managerKeys, keyFiles, keys };
  }

  it('asks the manager that was joined, by its key, and signs what it asks', async () => {
    const { managerKeys, keyFiles, keys } = atManager();
    const run = await runClient(['-D', 'nodes'], { queries: nodes }, { keyFiles, managerKeys });
    expect(run.code).to.equal(0);
    expect(run.out).to.include('web1');
    expect(run.error).to.equal(
      'service-mgr-client: managers tcp://localhost:5500; window 5 s; as operator alice\n',
    );
    expect(run.manager.signatures.map(claimedSigner)).to.deep.equal([fingerprintOfKeys(keys)]);
  });

  it('signs requests, too', async () => {
    const { managerKeys, keyFiles, keys } = atManager();
    const script = { accepted: { nodes: [], expected: 0 }, end: { outcomes: [] } };
    const argv = ['-T', 'web1', '-c', 'status', '-s', 'cron'];
    const { manager } = await runClient(argv, script, { keyFiles, managerKeys });
    expect(manager.requests).to.have.length(1);
    expect(manager.signatures.map(claimedSigner)).to.deep.equal([fingerprintOfKeys(keys)]);
  });

  it('believes nobody else', async () => {
    const { keyFiles } = atManager();
    const meanwhile = ({ manager }: { manager: { clock: { advanceAsync(ms: number): Promise<void> } } }) =>
      manager.clock.advanceAsync(10_000);
    const other = await runClient(
      ['nodes'],
      { queries: nodes },
      { keyFiles, managerKeys: newCurveKeys(), meanwhile },
    );
    expect([other.code, other.out, other.manager.queries]).to.deep.equal([69, '', []]);
    const plain = await runClient(['nodes'], { queries: nodes }, { keyFiles, meanwhile });
    expect([plain.code, plain.manager.queries]).to.deep.equal([69, []]);
  });
});

describe('the managers that are asked', () => {
  const config = '[Default]\nendpoint = tcp://mgr3:5500';
  const orders: ReadonlyArray<
    readonly [what: string, config: string | undefined, argv: string, managers: string]
  > = [
    ['those that were joined', undefined, 'nodes', 'tcp://mgr1:5500, tcp://mgr2:5500'],
    ['those of the configuration before them', config, 'nodes', 'tcp://mgr3:5500'],
    ['those of -e before all', config, '-e tcp://mgr4:5500 nodes', 'tcp://mgr4:5500'],
  ];
  for (const [what, text, argv, managers] of orders) {
    it(`are ${what}`, async () => {
      const host = new PersonHost();
      for (const name of ['mgr2', 'mgr1']) {
        const manager = await new JoinableManager(host.sockets, host.clock, name).start();
        await host.end(`join ${manager.token('operator')} --manager tcp://${name}`);
      }
      host.config = text;
      const { code, error } = await host.end(`-D -r 1 ${argv}`);
      expect(code).to.equal(69);
      expect(error).to.include(`managers ${managers}; window 5 s; as operator alice\n`);
    });
  }
});

describe('the client of somebody who has joined nobody', () => {
  const missed =
    `no manager answered at tcp://localhost:5500; no keys were found in ${folder}/client.key: ` +
    'where the manager has security, run "service-mgr-client join TOKEN" first';

  it('says so when nobody answers', async () => {
    expect(await new PersonHost().end('-r 1 nodes')).to.include({
      code: 69,
      error: `service-mgr-client: ${missed}\n`,
    });
  });

  it('does not where there is to be no security', async () => {
    const host = new PersonHost();
    host.config = '[security]\nmode = none';
    expect((await host.end('-r 1 nodes')).error).to.equal(
      'service-mgr-client: no manager answered at tcp://localhost:5500\n',
    );
  });
});
