import { expect } from 'chai';
import type { TokenInfo } from '../../../../src/wire/admin.ts';
import { ServiceManagerError } from '../../../../src/wire/errors.ts';
import type { ManagementHandlers } from '../../../../src/wire/management.ts';
import { managerHost } from '../../../fakes/command-host.ts';

const nowMs = Date.UTC(2026, 0, 1);
const id = '0123456789abcdef';
const hourMs = 3_600_000;

function tokenInfo(changes: Partial<TokenInfo> = {}): TokenInfo {
  return { id, role: 'agent', expiresMs: nowMs + hourMs, usesLeft: 1, ...changes };
}

const done = (result: Record<string, unknown>) => () => ({ success: 0, msg: '', result }) as const;

async function running(handlers: ManagementHandlers) {
  const host = managerHost();
  return { host, door: await host.runsWith(handlers) };
}

describe('service-mgrd token create', () => {
  const created = (changes: Partial<TokenInfo> = {}) => ({
    'manager.tokens.create': done({ token: 'smj1-abc', info: tokenInfo(changes) }),
  });

  it('prints the token alone, and says beside it how long it is good and what to do with it', async () => {
    const { host, door } = await running(created());
    expect(await host.end('token create --role agent')).to.deep.equal({
      code: 0,
      out: 'smj1-abc\n',
      error: [
        `token ${id}: good for one agent, until 2026-01-01T01:00:00.000Z (1 h)`,
        'type there: service-mgr-agentd join TOKEN --manager tcp://HOST',
        'with the line above in place of TOKEN, and the host of this manager in place of HOST',
        '',
      ].join('\n'),
    });
    expect(door.asked).to.deep.equal([
      { cmd: 'manager.tokens.create', args: { role: 'agent', ttlMs: hourMs, uses: 1 } },
    ]);
  });

  const places: ReadonlyArray<readonly [joinEndpoint: string | undefined, place: string]> = [
    ['tcp://*:15850', 'tcp://HOST:15850'],
    ['tcp://[::1]:5851', 'tcp://HOST:5851'],
    ['tcp://192.0.2.7:5850', 'tcp://HOST'],
    ['tcp://*:*', 'tcp://HOST'],
    ['ipc:///run/join', 'tcp://HOST'],
    [undefined, 'tcp://HOST'],
  ];
  for (const [joinEndpoint, place] of places) {
    it(`says ${place} where the manager is joined at ${joinEndpoint}`, async () => {
      const { host } = await running(created());
      host.home = { ...host.home, joinEndpoint };
      const { error } = await host.end('token create --role agent');
      expect(error.split('\n')[1]).to.equal(`type there: service-mgr-agentd join TOKEN --manager ${place}`);
    });
  }

  it('never shows the token where messages go', async () => {
    const { host } = await running(created());
    expect((await host.end('token create --role agent')).error).not.to.include('smj1-abc');
  });

  it('hands on what it is for, and says it', async () => {
    const { host, door } = await running(created({ role: 'operator', name: 'alice', usesLeft: 3 }));
    const { error } = await host.end('token create --role operator --name alice --ttl 90s --uses 3');
    expect(door.asked[0]?.args).to.deep.equal({ role: 'operator', name: 'alice', ttlMs: 90_000, uses: 3 });
    expect(error).to.include('good for 3 operators of the name alice, until');
    expect(error).to.include('service-mgr-client join TOKEN');
  });

  const mistakes: ReadonlyArray<readonly [argv: string, complaint: string]> = [
    ['', "required option '--role <role>' not specified"],
    ['--role king', "argument 'king' is invalid. Allowed choices are agent, operator, monitor"],
    ['--role agent --ttl 0', 'Expected a time from 1 to 2678400 seconds'],
    ['--role agent --ttl 32d', 'Expected a time from 1 to 2678400 seconds'],
    ['--role agent --uses 0', 'Expected a whole number from 1 to 100000'],
    ['--role agent --name a/b', 'Expected a host name of'],
  ];
  for (const [argv, complaint] of mistakes) {
    it(`refuses "${argv}"`, async () => {
      const { host, door } = await running(created());
      const { code, out, error } = await host.end(`token create ${argv}`.trim());
      expect([code, out, door.asked]).to.deep.equal([64, '', []]);
      expect(error).to.include(complaint);
    });
  }

  it('prints nothing on standard output when it is refused', async () => {
    const { host } = await running({
      'manager.tokens.create': () => {
        throw new ServiceManagerError('TOO_BUSY', 'there are 10000 join tokens already');
      },
    });
    expect(await host.end('token create --role agent')).to.deep.include({ code: 77, out: '' });
  });
});

describe('service-mgrd token list', () => {
  const tokens = [
    tokenInfo({ name: 'web1' }),
    tokenInfo({ id: 'f'.repeat(16), role: 'monitor', usesLeft: 20 }),
  ];

  it('shows what each token is good for, and no secret', async () => {
    const { host } = await running({ 'manager.tokens.list': done({ tokens }) });
    expect(await host.end('token list')).to.deep.equal({
      ...{ code: 0, error: '' },
      out: [
        'ID                ROLE     NAME  USES  GOOD FOR',
        '0123456789abcdef  agent    web1  1     1 h',
        'ffffffffffffffff  monitor  -     20    1 h',
        '',
      ].join('\n'),
    });
  });

  it('prints JSON', async () => {
    const { host } = await running({ 'manager.tokens.list': done({ tokens }) });
    expect(JSON.parse((await host.end('token list --format json')).out)).to.deep.equal(
      tokens.map((token) => ({ ...token, expires: '2026-01-01T01:00:00.000Z' })),
    );
  });

  it('says that there is none', async () => {
    const { host } = await running({ 'manager.tokens.list': done({ tokens: [] }) });
    expect(await host.end('token list')).to.deep.equal({
      ...{ code: 0, out: '', error: 'service-mgrd: there is no join token\n' },
    });
  });
});

describe('service-mgrd token remove', () => {
  it('has the manager forget it', async () => {
    const { host, door } = await running({ 'manager.tokens.remove': done({ id }) });
    expect(await host.end(`token remove ${id}`)).to.deep.equal({
      code: 0,
      out: '',
      error: `removed: ${id}\n`,
    });
    expect(door.asked).to.deep.equal([{ cmd: 'manager.tokens.remove', args: { id } }]);
  });

  it('refuses what is no id, and never shows a token that was given in its place', async () => {
    const { host, door } = await running({});
    expect(await host.end('token remove smj1-abc')).to.deep.equal({
      ...{ code: 64, out: '' },
      error: 'service-mgrd: token remove: expected a token id of 16 lower-case hex characters\n',
    });
    expect(door.asked).to.deep.equal([]);
  });

  it('ends with 64 where no token has this id', async () => {
    const { host } = await running({
      'manager.tokens.remove': () => {
        throw new ServiceManagerError('UNKNOWN_KEY', `no token has the id ${id}`);
      },
    });
    expect(await host.end(`token remove ${id}`)).to.include({ code: 64 });
  });
});
