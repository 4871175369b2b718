import { expect } from 'chai';
import { InitD } from '../../../src/provider/init-d.ts';
import type { ActionName, ServiceName } from '../../../src/wire/fields.ts';
import { type ScriptedAnswer, ScriptedProcesses } from '../../fakes/scripted-processes.ts';

function opened(script: Readonly<Record<string, ScriptedAnswer>>, scripts: readonly string[] = ['nginx']) {
  const processes = new ScriptedProcesses(script);
  const hostPrograms = {
    isThere: (program: string) => scripts.some((name) => program === `/etc/init.d/${name}`),
  };
  const options = { processes, hostPrograms, serviceFolder: '/etc/init.d', outputLimitBytes: 65_536 };
  const provider = new InitD({ ...options, bootLinks: 'chkconfig' });
  const run = (action: string) =>
    provider.run('nginx' as ServiceName, action as ActionName, { timeoutMs: 1_000 });
  return { processes, run };
}

describe('init scripts without service(8)', () => {
  it('are run themselves, with the action', async () => {
    const { processes, run } = opened({ '/etc/init.d/nginx reload': { exitCode: 3 } });
    expect(await run('reload')).to.include({ exitCode: 3, provider: 'init.d', state: 'unknown' });
    expect(processes.runs).to.deep.equal(['/etc/init.d/nginx reload']);
  });

  it('are enabled and disabled by what the host has for it', async () => {
    const { processes, run } = opened({ 'chkconfig nginx on': {}, 'chkconfig nginx off': {} });
    await run('enable');
    await run('disable');
    expect(processes.runs).to.deep.equal(['chkconfig nginx on', 'chkconfig nginx off']);
  });

  it('that are not there are not found, with the codes of LSB', async () => {
    const { processes, run } = opened({}, []);
    expect(await run('status')).to.include({ exitCode: 4, state: 'not-found' });
    const result = await run('start');
    expect(result).to.include({ exitCode: 5, state: 'not-found' });
    expect(result.stderr.text).to.match(/^\/etc\/init\.d\/nginx: there is no such init script/);
    expect(processes.runs).to.deep.equal([]);
  });

  it('are listed if they can be run, but not those that serve init itself', async () => {
    const { processes, run } = opened(
      {
        'ls -1 -- /etc/init.d': { stdout: 'README\ncron\nhalt\nnginx\nnginx.dpkg-old\nnotes\nrc\n' },
        '/etc/init.d/nginx status': {},
        '/etc/init.d/cron status': { exitCode: 3 },
      },
      ['cron', 'halt', 'nginx', 'nginx.dpkg-old', 'rc'],
    );
    expect((await run('list')).services).to.deep.equal([
      { service: 'cron', state: 'stopped' },
      { service: 'nginx', state: 'running' },
    ]);
    expect(processes.runs).to.have.lengthOf(3);
  });
});
