import { expect } from 'chai';
import { managerKeysForRestart, readManagerConfig } from '../../../src/config/manager.ts';

const endpoints = {
  frontend_endpoint: 'tcp://*:5500',
  backend_endpoint: 'tcp://*:5600',
  sink_endpoint: 'tcp://*:5700',
  mgmt_endpoint: 'tcp://*:5800',
};

const lines = (entries: Readonly<Record<string, string>>) =>
  Object.entries(entries).map(([key, value]) => `${key} = ${value}`);

function read(security: Readonly<Record<string, string>> = {}, main: Readonly<Record<string, string>> = {}) {
  const text = ['[Default]', ...lines({ ...endpoints, ...main }), '[security]', ...lines(security)].join(
    '\n',
  );
  return readManagerConfig(text, 'm.conf');
}

describe('the [security] of the manager', () => {
  it('may be missing', () => {
    const expected = {
      mode: 'auto',
      allowInsecure: false,
      name: undefined,
      keyFile: undefined,
      joinEndpoint: 'tcp://*:5850',
      policyFile: '/etc/service-mgr/service-mgrd.policy',
      isAudited: true,
      auditMaxBytes: 1_073_741_824,
      requestsPerSecond: 100,
      openRequests: 1_000,
      maxConnections: 20_000,
      maxPending: 1_000,
    };
    expect(read().security).to.deep.equal(expected);
    const withoutSection = ['[Default]', ...lines(endpoints)].join('\n');
    expect(readManagerConfig(withoutSection, 'm.conf').security).to.deep.equal(expected);
  });

  it('takes all keys', () => {
    expect(
      read({
        mode: 'none',
        allow_insecure: 'yes',
        name: 'manager1.example.org',
        key_file: '/etc/keys/manager.key',
        join_endpoint: 'ipc:///run/join',
        policy_file: '/etc/policy',
        audit: 'no',
        audit_max_bytes: '1MiB',
        requests_per_second: '100000',
        open_requests: '10000',
        max_connections: '1',
        max_pending: '1',
      }).security,
    ).to.deep.equal({
      mode: 'none',
      allowInsecure: true,
      name: 'manager1.example.org',
      keyFile: '/etc/keys/manager.key',
      joinEndpoint: 'ipc:///run/join',
      policyFile: '/etc/policy',
      isAudited: false,
      auditMaxBytes: 1_048_576,
      requestsPerSecond: 100_000,
      openRequests: 10_000,
      maxConnections: 1,
      maxPending: 1,
    });
    expect(read({ mode: 'curve' }).security.mode).to.equal('curve');
  });

  it('may have no join endpoint, beside any others', () => {
    expect(read({ join_endpoint: 'none' }, { sink_endpoint: 'tcp://*:5850' }).security.joinEndpoint).to.equal(
      undefined,
    );
  });

  it('has a join endpoint at a place of its own', () => {
    expect(() => read({ join_endpoint: 'tcp://127.0.0.1:5500' })).to.throw(
      'm.conf:7: key join_endpoint: value "tcp://127.0.0.1:5500", expected another place than tcp://*:5500 of frontend_endpoint',
    );
    expect(() => read({}, { publisher_endpoint: 'tcp://*:5850' })).to.throw(
      'm.conf:6: key publisher_endpoint: value "tcp://*:5850", expected another place than tcp://*:5850 of join_endpoint',
    );
  });

  for (const [key, value] of [
    ['mode', 'auto'],
    ['mode', 'CURVE'],
    ['mode', ''],
    ['allow_insecure', 'true'],
    ['name', 'manager 1'],
    ['key_file', 'manager.key'],
    ['join_endpoint', 'tcp://*'],
    ['join_endpoint', ''],
    ['policy_file', 'policy'],
    ['audit', 'none'],
    ['audit_max_bytes', '1KiB'],
    ['requests_per_second', '0'],
    ['requests_per_second', '100001'],
    ['open_requests', '0'],
    ['open_requests', '10001'],
    ['max_connections', '0'],
    ['max_connections', '1000001'],
    ['max_pending', '0'],
    ['max_pending', '100001'],
  ] as const) {
    it(`refuses ${key} = ${value}`, () => {
      expect(() => read({ [key]: value })).to.throw(`m.conf:7: key ${key}: value "${value}", expected `);
    });
  }

  it('says where a key belongs that stands in the main section', () => {
    expect(() => read({}, { mode: 'curve' })).to.throw(
      'm.conf:6: key mode is in the wrong section, expected it in [security]',
    );
  });

  it('changes the limits of operators and the policy at run time, and nothing else', () => {
    expect(
      managerKeysForRestart(
        read(),
        read({ requests_per_second: '1', open_requests: '1', policy_file: '/p' }),
      ),
    ).to.deep.equal([]);
    for (const [key, value] of Object.entries({
      mode: 'curve',
      allow_insecure: 'yes',
      name: 'm1',
      key_file: '/k',
      join_endpoint: 'none',
      audit: 'no',
      audit_max_bytes: '2GiB',
      max_connections: '7',
      max_pending: '7',
    })) {
      expect(managerKeysForRestart(read(), read({ [key]: value, open_requests: '1' }))).to.deep.equal([key]);
    }
  });

  it('is named behind the other keys that wait for the next start', () => {
    expect(managerKeysForRestart(read(), read({ mode: 'curve' }, { state_dir: '/srv' }))).to.deep.equal([
      'state_dir',
      'mode',
    ]);
  });
});
