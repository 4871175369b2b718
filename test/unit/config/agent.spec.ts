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
    expect(read()).to.deep.equal({
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
      serviceProgram: 'service',
      extraActions: [],
      logLevel: 'info',
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
      service_program: '/usr/sbin/service',
      log_level: 'debug',
    };
    expect(read(changes, '[actions]\nextra = configtest, upgrade')).to.deep.include({
      nodeName: 'web1',
      stateDir: '/srv/state',
      roles: ['web', 'database'],
      topics: ['Debian GNU/Linux', 'rack 7'],
      protocol: 'v1',
      actionTimeoutMs: 300_000,
      outputLimitBytes: 1_024,
      serviceProgram: '/usr/sbin/service',
      extraActions: ['configtest', 'upgrade'],
      logLevel: 'debug',
    });
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
    ['service_program', '../service'],
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
});
