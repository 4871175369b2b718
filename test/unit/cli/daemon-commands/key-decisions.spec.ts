import { expect } from 'chai';
import { newCurveKeys } from '../../../../src/security/keys.ts';
import type { KeyInfo } from '../../../../src/wire/admin.ts';
import { ServiceManagerError } from '../../../../src/wire/errors.ts';
import type { ManagementHandlers } from '../../../../src/wire/management.ts';
import { managerHost } from '../../../fakes/command-host.ts';

const nowMs = Date.UTC(2026, 0, 1);
const print = (letter: string) => `SHA256:${letter.repeat(43)}`;

function keyInfo(name: string, changes: Partial<KeyInfo> = {}): KeyInfo {
  return {
    ...{ fingerprint: print('a'), role: 'agent', name, state: 'accepted', refusedOthers: 0 },
    sinceMs: nowMs - 3_600_000,
    ...changes,
  };
}

const waiting = keyInfo('web2', {
  ...{ fingerprint: print('b'), state: 'pending', address: '192.0.2.7', untilMs: nowMs + 7_200_000 },
});
const keys = [keyInfo('web1', { by: 'token 0123456789abcdef', refusedOthers: 2 }), waiting];

/** A manager that runs with keys and answers so. */
async function running(handlers: ManagementHandlers) {
  const host = managerHost();
  const own = newCurveKeys();
  host.home = { ...host.home, ownKeys: () => own };
  return { host, door: await host.runsWith(handlers, own) };
}

const done = (result: Record<string, unknown>) => () => ({ success: 0, msg: '', result }) as const;

describe('service-mgrd keys list', () => {
  it('shows each key, where it is from, and what there is to know of it', async () => {
    const { host, door } = await running({ 'manager.keys.list': done({ keys }) });
    const [a, b] = [print('a'), print('b')];
    expect(await host.end('keys list')).to.deep.equal({
      ...{ code: 0, error: '' },
      out: [
        `NAME  ROLE   STATE     FINGERPRINT${' '.repeat(41)}ADDRESS    BY                      SINCE    NOTE`,
        `web1  agent  accepted  ${a}  -          token 0123456789abcdef  1 h ago  another key wanted the name 2 times: a cloned machine?`,
        `web2  agent  pending   ${b}  192.0.2.7  -                       1 h ago  forgotten in 2 h`,
        '',
      ].join('\n'),
    });
    expect(door.asked).to.deep.equal([{ cmd: 'manager.keys.list' }]);
  });

  it('shows those in one state, and says when there is none', async () => {
    const { host } = await running({ 'manager.keys.list': done({ keys }) });
    const { out } = await host.end('keys list --state pending');
    expect(out).to.include('web2').and.not.to.include('web1');
    expect(await host.end('keys list --state revoked')).to.deep.equal({
      ...{ code: 0, out: '', error: 'service-mgrd: no key is revoked\n' },
    });
    const { host: other } = await running({ 'manager.keys.list': done({ keys: [] }) });
    expect((await other.end('keys list')).error).to.equal('service-mgrd: no key is known\n');
  });

  it('prints JSON with all that is known, and times as RFC 3339 beside', async () => {
    const { host } = await running({ 'manager.keys.list': done({ keys }) });
    const { out } = await host.end('keys list --format json');
    expect(JSON.parse(out)).to.deep.equal([
      { ...keys[0], since: '2025-12-31T23:00:00.000Z' },
      { ...keys[1], since: '2025-12-31T23:00:00.000Z', until: '2026-01-01T02:00:00.000Z' },
    ]);
  });

  it('refuses a state or a format that there is not', async () => {
    const { host } = await running({ 'manager.keys.list': done({ keys }) });
    expect(await host.end('keys list --state lost')).to.include({ code: 64 });
    expect(await host.end('keys list --format xml')).to.include({ code: 64 });
  });
});

for (const [command, decision] of [
  ['accept', 'accepted'],
  ['reject', 'rejected'],
  ['revoke', 'revoked'],
  ['remove', 'removed'],
] as const) {
  describe(`service-mgrd keys ${command}`, () => {
    it('has the manager do it, and says to which key it did', async () => {
      const { host, door } = await running({ [`manager.keys.${command}`]: done({ keys: [waiting] }) });
      expect(await host.end(`keys ${command} bbbbbbbb`)).to.deep.equal({
        ...{ code: 0, out: '', error: `${decision}: agent web2, ${print('b')}\n` },
      });
      expect(door.asked).to.deep.equal([
        { cmd: `manager.keys.${command}`, args: { fingerprint: 'bbbbbbbb' } },
      ]);
    });

    it('ends with 64 for a key that is not known, and with 77 when it is refused', async () => {
      for (const [code, exitCode] of [
        ['UNKNOWN_KEY', 64],
        ['NAME_TAKEN', 77],
      ] as const) {
        const { host } = await running({
          [`manager.keys.${command}`]: () => {
            throw new ServiceManagerError(code, 'why not');
          },
        });
        expect(await host.end(`keys ${command} bbbbbbbb`)).to.deep.equal({
          ...{ code: exitCode, out: '' },
          error: 'service-mgrd: tcp://localhost:5800 refused: why not\n',
        });
      }
    });

    it('needs a fingerprint', async () => {
      expect(await managerHost().end(`keys ${command}`)).to.include({
        code: 64,
        error: `error: missing required argument 'fingerprint'\nTry "service-mgrd keys ${command} --help".\n`,
      });
    });
  });
}

describe('service-mgrd keys rotate', () => {
  const dayMs = 86_400_000;
  const rotates = (overlapMs: number) => ({
    'manager.keys.rotate': done({
      ...{ fingerprint: print('a'), nextFingerprint: print('b'), switchesMs: nowMs + overlapMs },
    }),
  });

  it('begins with a new key of the manager, and says from when on it is used alone', async () => {
    const { host, door } = await running(rotates(7 * dayMs));
    expect(await host.end('keys rotate')).to.deep.equal({
      ...{ code: 0, out: '' },
      error: [
        `the key of the manager is ${print('a')} until 2026-01-08T00:00:00.000Z (7 d)`,
        `then it is ${print('b')}; whoever talks to the manager before learns that by himself`,
        '',
      ].join('\n'),
    });
    expect(door.asked).to.deep.equal([{ cmd: 'manager.keys.rotate', args: { overlapMs: 7 * dayMs } }]);
  });

  it('takes another time, down to none', async () => {
    const { host, door } = await running(rotates(3_600_000));
    await host.end('keys rotate --overlap 1h');
    await host.end('keys rotate --overlap 0');
    expect(door.asked.map(({ args }) => args)).to.deep.equal([{ overlapMs: 3_600_000 }, { overlapMs: 0 }]);
    expect(await host.end('keys rotate --overlap 400d')).to.include({ code: 64 });
  });

  it('ends with 69 when no manager runs', async () => {
    expect(await managerHost().end('keys rotate')).to.include({
      ...{ code: 69, error: 'service-mgrd: tcp://localhost:5800 did not answer within 5 s\n' },
    });
  });
});
