import { expect } from 'chai';
import { readPolicyFile } from '../../../../src/config/policy-file.ts';
import type { PolicyVerdict } from '../../../../src/wire/admin.ts';
import { ServiceManagerError } from '../../../../src/wire/errors.ts';
import { agentHost, managerHost } from '../../../fakes/command-host.ts';

const asked = 'policy test --operator alice --action stop --service sshd --target role:web';
const groups: PolicyVerdict['groups'] = [
  {
    nodes: ['web10', 'web2', 'web1'],
    isAllowed: true,
    explanation: 'allowed by line 2: allow operator * *\nalso matches line 7: allow operator:alice stop *',
  },
  { nodes: ['db1'], isAllowed: false, explanation: 'refused by line 3: deny stop sshd at db1' },
];

async function running(answer: () => { groups: PolicyVerdict['groups'] }) {
  const host = managerHost();
  const handlers = {
    'manager.policy.test': () => ({ success: 0, msg: '', result: { ...answer() } }) as const,
  };
  return { host, door: await host.runsWith(handlers) };
}

describe('service-mgrd policy test', () => {
  it('shows the nodes of which the same is said together, with the rule that decides and the others', async () => {
    const { host, door } = await running(() => ({ groups }));
    expect(await host.end(asked)).to.deep.equal({
      ...{ code: 0, error: '' },
      out: [
        'web[1-2,10] (3): allowed by line 2: allow operator * *',
        '  also matches line 7: allow operator:alice stop *',
        'db1: refused by line 3: deny stop sshd at db1',
        '',
      ].join('\n'),
    });
    const question = { role: 'operator', name: 'alice', action: 'stop', service: 'sshd', target: 'role:web' };
    expect(door.asked).to.deep.equal([{ cmd: 'manager.policy.test', args: question }]);
  });

  it('asks for a monitor as well', async () => {
    const { host, door } = await running(() => ({ groups }));
    await host.end(asked.replace('operator', 'monitor'));
    expect(door.asked[0]?.args).to.deep.include({ role: 'monitor', name: 'alice' });
  });

  it('prints JSON with every name', async () => {
    const { host } = await running(() => ({ groups }));
    const [web, db] = groups;
    expect(JSON.parse((await host.end(`${asked} --format json`)).out)).to.deep.equal([
      { ...web, nodes: ['web1', 'web2', 'web10'] },
      db,
    ]);
  });

  it('says that nobody is meant', async () => {
    const { host } = await running(() => ({ groups: [] }));
    expect(await host.end(asked)).to.deep.equal({
      ...{ code: 0, out: '', error: 'service-mgrd: no known node is in "role:web"\n' },
    });
  });

  for (const who of ['', '--operator alice --monitor bob']) {
    it(`asks for one who asks, and not "${who}"`, async () => {
      const { host, door } = await running(() => ({ groups }));
      expect(await host.end(asked.replace('--operator alice', who).replaceAll('  ', ' '))).to.deep.equal({
        ...{ code: 64, out: '' },
        error: 'service-mgrd: policy test: expected --operator NAME or --monitor NAME\n',
      });
      expect(door.asked).to.deep.equal([]);
    });
  }

  it('refuses what no request may have', async () => {
    for (const line of [
      asked.replace('sshd', '../x'),
      asked.replace('stop', '-x'),
      asked.replace('alice', 'a/b'),
    ])
      expect(await managerHost().end(line), line).to.include({ code: 64, out: '' });
  });

  it('ends with 64 for a target that is none', async () => {
    const { host } = await running(() => {
      throw new ServiceManagerError('BAD_TARGET', 'expected a name');
    });
    expect(await host.end(asked)).to.include({ code: 64 });
  });
});

for (const [program, hostOf] of [
  ['service-mgrd', managerHost],
  ['service-mgr-agentd', agentHost],
] as const) {
  describe(`${program} policy check`, () => {
    const file = '/etc/service-mgr/x.policy';

    /** A host whose policy file says this; undefined: it has none. */
    function hostWith(text: string | undefined) {
      const host = hostOf();
      if (text !== undefined) host.keyFiles.put(file, text, { mode: 0o644 });
      const read = () =>
        host.keyFiles.exists(file) ? readPolicyFile(host.keyFiles, file, ['upgrade']) : undefined;
      host.home = { ...host.home, policy: { file, read } };
      return host;
    }

    it('says how many rules are good', async () => {
      const two = '# of ours\ndeny stop sshd\nallow operator * * at role:web\n';
      expect(await hostWith(two).end('policy check')).to.deep.equal({
        ...{ code: 0, out: `${file}: good, 2 rules\n`, error: '' },
      });
      expect((await hostWith('deny stop sshd').end('policy check')).out).to.equal(`${file}: good, 1 rule\n`);
    });

    it('lists all mistakes, with their places', async () => {
      const { code, out, error } = await hostWith('deny\nallow king * *\ndeny dance x\n').end('policy check');
      expect([code, out]).to.deep.equal([78, '']);
      for (const place of [`${file}:1:`, `${file}:2:`, `${file}:3:`]) expect(error).to.include(place);
    });

    it('says what holds where there is no file', async () => {
      expect(await hostWith(undefined).end('policy check')).to.deep.equal({
        ...{ code: 0, out: `${file}: there is none, so the default holds\n`, error: '' },
      });
    });
  });
}
