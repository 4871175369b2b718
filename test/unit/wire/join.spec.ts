import { expect } from 'chai';
import { fingerprintOf } from '../../../src/security/fingerprint.ts';
import { proveJoin } from '../../../src/security/join-proof.ts';
import { newCurveKeys, newSignKeys } from '../../../src/security/keys.ts';
import { claimMac, signClaim } from '../../../src/security/possession.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import { JoinReply, JoinRequest } from '../../../src/wire/join.ts';
import { withNextKey } from '../../../src/wire/reply.ts';

const manager = newCurveKeys().publicKey;
const curve = newCurveKeys();
const sign = newSignKeys();
const keys = { curve: curve.publicKey, sign: sign.publicKey };
const claim = { manager, role: 'operator', name: 'alice', keys, sentAtMs: 1_700_000_000_000 } as const;
const token = {
  ...{ manager, id: '0123456789abcdef', secret: Buffer.alloc(24, 5), role: 'operator' as const },
  expiresAtMs: 0,
};

const least = {
  v: 2,
  role: 'agent',
  name: 'web1',
  curve: curve.publicKey,
  sentAtMs: claim.sentAtMs,
  mac: claimMac(claim, curve),
};
const full = {
  ...least,
  role: 'operator',
  name: 'alice',
  sign: sign.publicKey,
  signature: signClaim(claim, sign.secretKey),
  token: token.id,
  tokenProof: proveJoin(token, 'alice', keys),
  replaces: fingerprintOf(keys),
  replaceProof: signClaim(claim, sign.secretKey),
};

function decode<T>(message: { decode(frame: Uint8Array): T }, value: unknown): T {
  return message.decode(Buffer.from(JSON.stringify(value)));
}

describe('who wants to be let in', () => {
  for (const [what, request] of Object.entries({
    'says at least who he is, which key he has, and proves it': least,
    'may have a token, and a key that is to be replaced': full,
    'may prove the key that is replaced by a MAC': { ...full, replaceProof: claimMac(claim, curve) },
  })) {
    it(what, () => {
      expect(decode(JoinRequest, request)).to.deep.equal(request);
      expect(JSON.parse(JoinRequest.encode(JoinRequest.parse(request)).toString())).to.deep.equal(request);
    });
  }

  it('may have fields of a later version', () => {
    expect(decode(JoinRequest, { ...least, later: true })).to.have.property('later', true);
  });

  for (const field of Object.keys(least)) {
    it(`has to say ${field}`, () => {
      expect(() => decode(JoinRequest, { ...least, [field]: undefined })).to.throw(
        `JoinRequest: field ${field} is missing, expected `,
      );
    });
  }

  for (const [field, value, expected] of [
    ['v', 1, 'the number 2'],
    ['role', 'manager', 'one of agent, operator, monitor'],
    ['name', '../x', 'a host name of 1 to 255 letters, digits, dots, dashes and underscores'],
    ['name', 'a b', 'a host name of 1 to 255 letters, digits, dots, dashes and underscores'],
    ['curve', 'a'.repeat(39), 'a CURVE public key of 40 characters of Z85'],
    ['curve', 'a'.repeat(41), 'a CURVE public key of 40 characters of Z85'],
    ['curve', `${'a'.repeat(39)}~`, 'a CURVE public key of 40 characters of Z85'],
    ['curve', `${'a'.repeat(40)}\n`, 'a CURVE public key of 40 characters of Z85'],
    ['sign', 'a'.repeat(44), 'a signing public key of 43 characters of base64url'],
    ['sentAtMs', -1, 'milliseconds since 1970'],
    ['mac', 'A'.repeat(64), 'a MAC of 64 lower-case hex characters'],
    ['mac', 'a'.repeat(63), 'a MAC of 64 lower-case hex characters'],
    ['signature', 'a'.repeat(87), 'a signature of 86 characters of base64url'],
    ['token', 'A'.repeat(16), 'a token id of 16 lower-case hex characters'],
    ['tokenProof', '', 'a signature of 86 characters of base64url'],
    ['replaces', 'A'.repeat(43), 'a fingerprint: SHA256: and 43 characters of base64'],
    ['replaceProof', 'a'.repeat(65), 'a MAC or a signature'],
  ] as const) {
    it(`is refused with ${JSON.stringify(value).slice(0, 20)} as ${field}`, () => {
      const text = JSON.stringify(value);
      const shown = typeof value === 'string' && value.length > 60 ? `"${value.slice(0, 60)}"...` : text;
      expect(() => decode(JoinRequest, { ...full, [field]: value }))
        .to.throw(ServiceManagerError, `JoinRequest: field ${field} is ${shown}, expected ${expected}`)
        .with.property('code', 'INVALID_MESSAGE');
    });
  }

  it('has 16 KiB for it', () => {
    const padded = JSON.stringify(least).padEnd(16 * 1024);
    expect(JoinRequest.decode(Buffer.from(padded)).name).to.equal('web1');
    expect(() => JoinRequest.decode(Buffer.from(`${padded} `)))
      .to.throw()
      .with.property('code', 'FRAME_TOO_LARGE');
  });
});

describe('what he is told', () => {
  const reply = {
    success: 0,
    state: 'accepted',
    fingerprint: fingerprintOf(keys),
    manager: 'mgr1',
    ports: { frontend: 5_500, backend: 5_600, sink: 5_700, publisher: 0 },
  };

  for (const state of ['accepted', 'pending']) {
    it(`may be that he is ${state}`, () => {
      expect(decode(JoinReply, { ...reply, state })).to.deep.equal({ ...reply, state });
    });
  }

  it('may have the next key of the manager in it, as any reply', () => {
    expect(decode(JoinReply, withNextKey(reply, manager)).nextKey).to.equal(manager);
  });

  for (const [field, value, expected] of [
    ['success', -1, '0'],
    ['state', 'rejected', 'one of accepted, pending'],
    ['fingerprint', 'x', 'a fingerprint: SHA256: and 43 characters of base64'],
    ['manager', '-x', 'a host name of 1 to 255'],
    ['nextKey', 'x', 'a CURVE public key of 40 characters of Z85'],
  ] as const) {
    it(`is not ${JSON.stringify(value)} as ${field}`, () => {
      expect(() => decode(JoinReply, { ...reply, [field]: value })).to.throw(
        `JoinReply: field ${field} is ${JSON.stringify(value)}, expected ${expected}`,
      );
    });
  }

  for (const port of [-1, 65_536, 1.5, '5500', undefined]) {
    it(`has no port ${JSON.stringify(port) ?? 'that is missing'}`, () => {
      expect(() => decode(JoinReply, { ...reply, ports: { ...reply.ports, sink: port } })).to.throw(
        /^JoinReply: field ports.sink is .*expected a port, or 0 where there is none$/,
      );
    });
  }
});
