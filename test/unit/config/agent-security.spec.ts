import { expect } from 'chai';
import { agentKeysForRestart, readAgentConfig } from '../../../src/config/agent.ts';

const lines = (entries: Readonly<Record<string, string>>) =>
  Object.entries(entries).map(([key, value]) => `${key} = ${value}`);

function read(security: Readonly<Record<string, string>> = {}, main: Readonly<Record<string, string>> = {}) {
  const text = ['[Default]', ...lines({ mgmt_endpoint: 'tcp://127.0.0.1:6000', ...main }), '[security]'];
  return readAgentConfig([...text, ...lines(security)].join('\n'), 'a.conf');
}

describe('the [security] of an agent', () => {
  it('may be missing', () => {
    const expected = {
      mode: 'auto',
      allowInsecure: false,
      keyFile: undefined,
      trust: 'manager',
      operatorsDir: '/etc/service-mgr/operators.d',
      policyFile: '/etc/service-mgr/service-mgr-agentd.policy',
      isAudited: true,
      auditMaxBytes: 268_435_456,
    };
    expect(read().security).to.deep.equal(expected);
    const withoutSection = '[Default]\nmgmt_endpoint = tcp://127.0.0.1:6000';
    expect(readAgentConfig(withoutSection, 'a.conf').security).to.deep.equal(expected);
  });

  it('takes all keys', () => {
    expect(
      read({
        mode: 'none',
        allow_insecure: 'yes',
        key_file: '/etc/keys/agent.key',
        trust: 'operators',
        operators_dir: '/srv/operators',
        policy_file: '/etc/policy',
        audit: 'no',
        audit_max_bytes: '1MiB',
      }).security,
    ).to.deep.equal({
      mode: 'none',
      allowInsecure: true,
      keyFile: '/etc/keys/agent.key',
      trust: 'operators',
      operatorsDir: '/srv/operators',
      policyFile: '/etc/policy',
      isAudited: false,
      auditMaxBytes: 1_048_576,
    });
    expect(read({ mode: 'curve', trust: 'manager' }).security).to.include({
      mode: 'curve',
      trust: 'manager',
    });
  });

  for (const [key, value] of [
    ['mode', 'auto'],
    ['allow_insecure', 'true'],
    ['key_file', 'agent.key'],
    ['trust', 'operator'],
    ['trust', ''],
    ['operators_dir', 'operators.d'],
    ['policy_file', 'policy'],
    ['audit', 'none'],
    ['audit_max_bytes', '1KiB'],
  ] as const) {
    it(`refuses ${key} = ${value}`, () => {
      expect(() => read({ [key]: value })).to.throw(`a.conf:4: key ${key}: value "${value}", expected `);
    });
  }

  it('has no managers of the 2014 release beside curve or signatures, which these have nothing for', () => {
    const v1 = { protocol: 'v1' };
    expect(() => read({ mode: 'curve' }, v1)).to.throw(
      /^a\.conf:3: key protocol: value "v1", expected v2, because \[security\] says mode = curve, which v1 has nothing for$/,
    );
    expect(() => read({ trust: 'operators' }, v1)).to.throw('says trust = operators, which v1');
    expect(() => read({ mode: 'curve', trust: 'operators' }, v1)).to.throw(
      'says mode = curve and trust = operators, which v1',
    );
  });

  it('lets v1 be where there is no security', () => {
    for (const security of [{}, { mode: 'none' }, { trust: 'manager' }]) {
      expect(read(security, { protocol: 'v1' }).protocol).to.equal('v1');
    }
    expect(read({ mode: 'curve', trust: 'operators' }, { protocol: 'v2' }).protocol).to.equal('v2');
  });

  it('changes whom the agent obeys at run time, and nothing else', () => {
    const live = { trust: 'operators', operators_dir: '/o', policy_file: '/p' };
    expect(agentKeysForRestart(read(), read(live, { roles: 'web' }))).to.deep.equal([]);
    for (const [key, value] of Object.entries({
      mode: 'curve',
      allow_insecure: 'yes',
      key_file: '/k',
      audit: 'no',
      audit_max_bytes: '1GiB',
    })) {
      expect(agentKeysForRestart(read(), read({ [key]: value }, { roles: 'web' }))).to.deep.equal([key]);
    }
    expect(agentKeysForRestart(read(), read({ mode: 'curve' }, { node_name: 'web1' }))).to.deep.equal([
      'node_name',
      'mode',
    ]);
  });
});
