import { expect } from 'chai';
import { chooseProvider, type ProviderHost, type ProviderSettings } from '../../../src/provider/choose.ts';
import { isServiceManagerError } from '../../../src/wire/errors.ts';
import { hostView } from '../../fakes/host-view.ts';

const systemd = { '/run/systemd/system/': '' };
const openrc = { '/run/openrc/softlevel': 'default' };
const initScripts = { '/etc/init.d/': '' };
const allPrograms = ['systemctl', 'rc-service', 'sv', 'service', 'update-rc.d'];

function choose(host: ProviderHost, settings: Partial<ProviderSettings> = {}) {
  const unsaid = { provider: 'auto', serviceProgram: undefined, serviceFolder: undefined } as const;
  return chooseProvider({ ...unsaid, ...settings }, host);
}

describe('the provider of a host', () => {
  const table: readonly [sentence: string, host: ProviderHost, name: string][] = [
    ['systemd where it booted the host', hostView({ ...systemd, ...initScripts }, allPrograms), 'systemd'],
    ['not systemd where it is only installed', hostView(initScripts, allPrograms), 'service'],
    ['OpenRC where it booted the host', hostView({ ...openrc, ...initScripts }, allPrograms), 'openrc'],
    ['not OpenRC where it is only installed', hostView({ '/run/openrc/': '' }, allPrograms), 'service'],
    ['rc(8) on FreeBSD', hostView({}, ['service'], 'FreeBSD'), 'rc'],
    ['OpenRC on a FreeBSD that it booted', hostView(openrc, allPrograms, 'FreeBSD'), 'openrc'],
    ['runit where it is the first process', hostView({ '/proc/1/comm': 'runit\n' }, allPrograms), 'runit'],
    [
      'runit where runsvdir is, as in containers',
      hostView({ '/proc/1/comm': 'runsvdir\n' }, allPrograms),
      'runit',
    ],
    ['not runit where it is not', hostView({ '/proc/1/comm': 'init\n' }, allPrograms), 'service'],
    ['service(8) where there is one', hostView(initScripts, ['service']), 'service'],
    ['the init scripts where there is no service(8)', hostView(initScripts), 'init.d'],
    ['service(8) where there is nothing at all, so that its absence is told', hostView(), 'service'],
  ];
  for (const [sentence, host, name] of table) {
    it(`is ${sentence}`, () => {
      expect(choose(host).name).to.equal(name);
    });
  }

  it('is the one that the configuration names, whatever else there is', () => {
    const host = hostView({ ...systemd, ...initScripts, '/etc/service/': '' }, allPrograms);
    for (const provider of ['service', 'systemd', 'openrc', 'rc', 'init.d', 'runit'] as const) {
      expect(choose(host, { provider }).name).to.equal(provider);
    }
  });

  it('is service(8) when only a program is named, also on a host of systemd', () => {
    const host = hostView(systemd, [...allPrograms, '/opt/service']);
    expect(choose(host, { serviceProgram: '/opt/service' })).to.include({
      name: 'service',
      program: '/opt/service',
    });
    const freeBsd = hostView({}, ['/opt/service'], 'FreeBSD');
    expect(choose(freeBsd, { serviceProgram: '/opt/service' }).name).to.equal('rc');
  });

  it('has its usual program and folder, or those that are named', () => {
    const host = hostView({ '/var/service/': '', '/srv/': '' }, [...allPrograms, '/opt/sv']);
    expect(choose(host, { provider: 'runit' })).to.include({ program: 'sv', serviceFolder: '/var/service' });
    const named = { provider: 'runit', serviceProgram: '/opt/sv', serviceFolder: '/srv' } as const;
    expect(choose(host, named)).to.include({ program: '/opt/sv', serviceFolder: '/srv' });
  });

  it('enables init scripts by what there is', () => {
    expect(choose(hostView(initScripts, ['service', 'update-rc.d'])).bootLinks).to.equal('update-rc.d');
    expect(choose(hostView(initScripts, ['service', 'chkconfig'])).bootLinks).to.equal('chkconfig');
    expect(choose(hostView(initScripts, ['service'])).bootLinks).to.equal(undefined);
  });

  const missing: readonly [settings: Partial<ProviderSettings>, host: ProviderHost, reason: string][] = [
    [
      { provider: 'systemd' },
      hostView({}, allPrograms),
      'provider = systemd: this host was not booted by systemd',
    ],
    [{ provider: 'systemd' }, hostView(systemd), 'provider = systemd: this host has no program systemctl'],
    [{ provider: 'openrc' }, hostView(openrc), 'provider = openrc: this host has no program rc-service'],
    [{ provider: 'rc' }, hostView({}, [], 'FreeBSD'), 'provider = rc: this host has no program service'],
    [{ provider: 'service' }, hostView(), 'provider = service: this host has no program service'],
    [{ provider: 'init.d' }, hostView(), 'provider = init.d: this host has no folder /etc/init.d'],
    [{ provider: 'runit' }, hostView({}, ['sv']), 'provider = runit: this host has no folder /etc/service'],
    [{ serviceProgram: 'nosuch' }, hostView(), 'service_program = nosuch: this host has no such program'],
    [
      { provider: 'runit', serviceFolder: '/srv' },
      hostView({}, ['sv']),
      'service_folder = /srv: this host has no such folder',
    ],
  ];
  for (const [settings, host, reason] of missing) {
    it(`is refused with a reason: ${reason}`, () => {
      const error = trouble(() => choose(host, settings));
      expect(isServiceManagerError(error) && error.code).to.equal('BAD_CONFIG');
      expect(error).to.have.property('message').that.includes(reason);
    });
  }
});

function trouble(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}
