import { expect } from 'chai';
import { Identity } from '../../../src/client/identity.ts';
import { ServiceManager } from '../../../src/client/index.ts';
import { missingIdentity, ownIdentity, personKeyFolder } from '../../../src/client/own-identity.ts';
import type { WantedSecurity } from '../../../src/config/exposure.ts';
import { newSecretKeys } from '../../../src/security/key-file.ts';
import { newCurveKeys } from '../../../src/security/keys.ts';
import { isServiceManagerError } from '../../../src/wire/errors.ts';
import { MemoryKeyFiles } from '../../fakes/memory-key-files.ts';

function person() {
  const folder = personKeyFolder(new MemoryKeyFiles(), '/keys');
  const told: string[] = [];
  const who = (security: WantedSecurity, ...endpoints: readonly string[]) =>
    ownIdentity({
      ...{ folder, security, endpoints: { endpoints } },
      places: { security: 'here', endpoints: 'there' },
      tell: (trouble) => told.push(trouble),
    });
  return { folder, who, told };
}

function codeAndText(act: () => unknown): readonly [string, string] {
  try {
    act();
  } catch (error) {
    if (isServiceManagerError(error)) return [error.code, error.message];
    throw error;
  }
  throw new Error('nothing was refused');
}

const auto = { mode: 'auto', allowInsecure: false } as const;
const mgr1 = {
  ...{ name: 'mgr1', key: newCurveKeys().publicKey },
  endpoints: { join: 'tcp://mgr1:5850', frontend: 'tcp://mgr1:5500' },
};

describe('who asks', () => {
  it('is nobody where there are no keys, and then only on this host', () => {
    const { who } = person();
    expect(who(auto)).to.equal(undefined);
    expect(who(auto, 'tcp://localhost:5500')).to.equal(undefined);
    const [code, text] = codeAndText(() => who(auto, 'tcp://mgr1:5500'));
    expect(code).to.equal('BAD_CONFIG');
    expect(text).to.match(/^there: key endpoints/);
  });

  it('is whose keys and managers are there', () => {
    const { who, folder } = person();
    folder.create(newSecretKeys('operator', 'alice', 0));
    expect(who(auto)).to.equal(undefined);
    folder.keepManager(mgr1);
    expect(who(auto)).to.be.instanceOf(Identity).and.have.property('name', 'operator alice');
    expect(who({ mode: 'none', allowInsecure: false })).to.equal(undefined);
  });

  it('has to be somebody where that is said', () => {
    const { who, folder } = person();
    const curve = { mode: 'curve', allowInsecure: false } as const;
    expect(codeAndText(() => who(curve))[1]).to.include(
      'here: [security] mode = curve, but there are no keys',
    );
    folder.create(newSecretKeys('operator', 'alice', 0));
    expect(codeAndText(() => who(curve))[1]).to.include('but no manager was joined');
  });
});

describe('what a stranger has missed', () => {
  const missing = (folder: ReturnType<typeof person>['folder'], mode: WantedSecurity['mode'] = 'auto') =>
    missingIdentity({ folder, security: { mode, allowInsecure: false } });
  const remedy = 'where the manager has security, run "service-mgr-client join TOKEN" first';

  it('are keys, or a manager that was joined with them', () => {
    const { folder } = person();
    expect(missing(folder)).to.equal(`no keys were found in /keys/client.key: ${remedy}`);
    folder.create(newSecretKeys('operator', 'alice', 0));
    expect(missing(folder)).to.equal(`no manager was joined: ${remedy}`);
  });

  it('is nothing where there is to be no security', () => {
    expect(missing(person().folder, 'none')).to.equal(undefined);
  });
});

describe('the library', () => {
  it('asks beyond this host without keys only when it is told so in so many words', async () => {
    const endpoints = ['tcp://mgr1:5500'];
    const keyDir = '/nonexistent';
    for (const options of [{}, { security: 'none' }, { allowInsecure: true }] as const)
      expect(codeAndText(() => new ServiceManager({ endpoints, keyDir, ...options }))[0]).to.equal(
        'BAD_CONFIG',
      );
    const client = new ServiceManager({ endpoints, keyDir, security: 'none', allowInsecure: true });
    expect(client.endpoints).to.deep.equal(endpoints);
    await client.close();
  });

  it('tells who has no keys that these may be why nobody answers', async () => {
    const messageOf = async (security: 'auto' | 'none') => {
      const options = { endpoints: ['tcp://127.0.0.1:1'], keyDir: '/nonexistent', timeoutMs: 1, retries: 1 };
      await using client = new ServiceManager({ ...options, security });
      return client.history.nodes().catch((error: Error) => error.message);
    };
    expect(await messageOf('auto')).to.match(
      /^no manager answered at tcp:\/\/127\.0\.0\.1:1; no keys were found in \/nonexistent\/client\.key: /,
    );
    expect(await messageOf('none')).to.equal('no manager answered at tcp://127.0.0.1:1');
  });
});
