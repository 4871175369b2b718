import { expect } from 'chai';
import { agentKeysForRestart, readAgentConfig } from '../../../src/config/agent.ts';

const endpoints = {
  manager_endpoint: 'tcp://localhost:5600',
  sink_endpoint: 'tcp://localhost:5700',
  mgmt_endpoint: 'tcp://*:6000',
};

function read(changes: Readonly<Record<string, string>> = {}, rest = '') {
  const lines = Object.entries({ ...endpoints, ...changes }).map(([key, value]) => `${key} = ${value}`);
  return readAgentConfig(['[Default]', ...lines, rest].join('\n'), 'a.conf');
}

describe('agent config', () => {
  it('is complete with the three endpoints of 2014', () => {
    const { security, ...rest } = read();
    expect(security.mode).to.equal('auto');
    expect(rest).to.deep.equal({
      managerEndpoints: ['tcp://localhost:5600'],
      sinkEndpoints: ['tcp://localhost:5700'],
      mgmtEndpoint: 'tcp://*:6000',
      nodeName: undefined,
      stateDir: '/var/lib/service-mgr/agent',
      roles: [],
      topics: [],
      protocol: 'v2',
      actionTimeoutMs: 60_000,
      outputLimitBytes: 65_536,
      provider: 'auto',
      serviceProgram: undefined,
      serviceFolder: undefined,
      extraActions: [],
      aliases: new Map(),
      hasKnownAliases: true,
      bundles: new Map(),
      logLevel: 'info',
      settleMs: 2_000,
      healthChecks: new Map(),
    });
  });

  it('takes the optional keys', () => {
    const changes = {
      node_name: 'web1',
      state_dir: '/srv/state',
      roles: 'web, database',
      topics: 'Debian GNU/Linux, rack 7',
      protocol: 'v1',
      action_timeout: '5m',
      output_limit: '1KiB',
      provider: 'runit',
      service_program: '/usr/bin/sv',
      service_folder: '/srv/services',
      log_level: 'debug',
      settle_time: '0',
    };
    const sections = '[actions]\nextra = configtest, upgrade\n[health]\nweb-1 = /usr/lib/check  -q 80';
    expect(read(changes, sections)).to.deep.include({
      nodeName: 'web1',
      stateDir: '/srv/state',
      roles: ['web', 'database'],
      topics: ['Debian GNU/Linux', 'rack 7'],
      protocol: 'v1',
      actionTimeoutMs: 300_000,
      outputLimitBytes: 1_024,
      provider: 'runit',
      serviceProgram: '/usr/bin/sv',
      serviceFolder: '/srv/services',
      extraActions: ['configtest', 'upgrade'],
      logLevel: 'debug',
      settleMs: 0,
      healthChecks: new Map([['web-1', ['/usr/lib/check', '-q', '80']]]),
    });
  });

  it('takes aliases, each with the names to try in their order', () => {
    const config = read({ builtin_aliases: 'no' }, '[aliases]\nmail = postfix, exim4\ndb = postgresql@15');
    expect(config.hasKnownAliases).to.equal(false);
    expect(config.aliases).to.deep.equal(
      new Map([
        ['mail', ['postfix', 'exim4']],
        ['db', ['postgresql@15']],
      ]),
    );
  });

  it('refuses a log level that there is not', () => {
    expect(() => read({ log_level: 'loud' })).to.throw(
      'a.conf:5: key log_level: value "loud", expected debug or info or warn or error',
    );
  });

  it('knows which changed keys wait for the next start, and takes roles, topics and log level at once', () => {
    const live = read({ roles: 'web', topics: 'rack 7', log_level: 'warn' });
    expect(agentKeysForRestart(read(), live)).to.deep.equal([]);
    const changes = { node_name: 'web1', action_timeout: '5', manager_endpoint: 'tcp://other:5600' };
    expect(agentKeysForRestart(read(), read({ ...changes, roles: 'web' }))).to.deep.equal([
      'manager_endpoint',
      'node_name',
      'action_timeout',
    ]);
  });

  it('pairs the endpoints of several managers', () => {
    const changes = {
      manager_endpoint: 'tcp://m1:5600, tcp://m2:5600',
      sink_endpoint: 'tcp://m1:5700, tcp://m2:5700',
    };
    expect(read(changes)).to.deep.include({
      managerEndpoints: ['tcp://m1:5600', 'tcp://m2:5600'],
      sinkEndpoints: ['tcp://m1:5700', 'tcp://m2:5700'],
    });
  });

  const readLines = (...lines: string[]) =>
    readAgentConfig(['[Default]', 'mgmt_endpoint = ipc:///run/mgmt', ...lines].join('\n'), 'a.conf');

  it('leaves it to the managers that were joined where they are, if it says nothing of that', () => {
    expect(readLines()).to.include({ managerEndpoints: undefined, sinkEndpoints: undefined });
  });

  it('refuses one of the two endpoints of a manager without the other', () => {
    expect(() => readLines('manager_endpoint = tcp://m1:5600')).to.throw(
      /^a\.conf:3: key manager_endpoint: value "tcp:\/\/m1:5600", expected sink_endpoint beside it: both are given or neither is$/,
    );
    expect(() => readLines('sink_endpoint = tcp://m1:5700')).to.throw(
      /^a\.conf:3: key sink_endpoint: value "tcp:\/\/m1:5700", expected manager_endpoint beside it: both are given or neither is$/,
    );
  });

  it('starts anew to serve other managers, also those that it joined', () => {
    const both = ['manager_endpoint = tcp://m1:5600', 'sink_endpoint = tcp://m1:5700'];
    expect(agentKeysForRestart(readLines(...both), readLines())).to.deep.equal([
      'manager_endpoint',
      'sink_endpoint',
    ]);
  });

  it('refuses lists of different lengths', () => {
    expect(() => read({ manager_endpoint: 'tcp://m1:5600, tcp://m2:5600' })).to.throw(
      'a.conf:3: key sink_endpoint: value "tcp://localhost:5700", expected as many endpoints as in manager_endpoint, which has 2',
    );
  });

  it('does not compare a list that is itself refused', () => {
    expect(() => read({ manager_endpoint: 'tcp://m1:5600, tcp://m2' })).to.throw(
      /^a\.conf:2: key manager_endpoint:[^\n]*$/,
    );
  });

  for (const [key, value] of [
    ['manager_endpoint', 'tcp://*:5600'],
    ['manager_endpoint', ''],
    ['mgmt_endpoint', 'tcp://*'],
    ['node_name', ''],
    ['node_name', 'web 1'],
    ['state_dir', 'state'],
    ['roles', 'role:web'],
    ['topics', '"rack 7", "rack 8"'],
    ['protocol', 'v3'],
    ['action_timeout', '0'],
    ['action_timeout', '25h'],
    ['output_limit', '1'],
    ['output_limit', '1MiB'],
    ['provider', 'upstart'],
    ['service_program', '../service'],
    ['builtin_aliases', 'none'],
    ['service_folder', 'services'],
    ['settle_time', '-1'],
    ['settle_time', '2h'],
  ] as const) {
    it(`refuses ${key} = ${value}`, () => {
      expect(() => read({ [key]: value })).to.throw(
        new RegExp(`^a\\.conf:\\d+: key ${key}: value ".*", expected .*$`),
      );
    });
  }

  it('refuses an action that no agent could be asked for', () => {
    expect(() => read({}, '[actions]\nextra = configtest, Rm')).to.throw(
      'a.conf:6: key extra: value "configtest, Rm"',
    );
  });

  for (const [what, line, refused] of [
    ['a bundle', 'web = bundle:web', 'key web: value "bundle:web"'],
    ['nothing', 'web =', 'key web: value ""'],
    ['a name twice', 'web = nginx, nginx', 'key web: value "nginx, nginx"'],
    ['a path', 'web = ../nginx', 'key web: value "../nginx"'],
  ] as const) {
    it(`refuses an alias for ${what}`, () => {
      expect(() => read({}, `[aliases]\n${line}`)).to.throw(`a.conf:6: ${refused}, expected a service name`);
    });
  }

  it('refuses an alias that is called like a bundle', () => {
    expect(() => read({}, '[aliases]\nbundle:web = nginx')).to.throw('a.conf:6: key "bundle:web", expected');
  });
  for (const [line, message] of [
    ['web = check', 'key web: value "check", expected the absolute path of a program'],
    ['web = /bin/sh -c "exit 0"', 'key web: value "/bin/sh -c \\"exit 0\\"", expected the absolute path'],
    ['web/1 = /bin/true', 'key "web/1", expected a name of 1 to 64 letters'],
    ['web =', 'key web: value "", expected the absolute path'],
  ] as const) {
    it(`refuses the health check ${line}`, () => {
      expect(() => read({}, `[health]\n${line}`)).to.throw(`a.conf:6: ${message}`);
    });
  }
});
