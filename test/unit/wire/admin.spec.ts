import { expect } from 'chai';
import {
  AuditHeadInfo,
  CreatedToken,
  KeyList,
  KeyOrder,
  keyStates,
  PolicyQuestion,
  PolicyVerdict,
  RotationInfo,
  RotationOrder,
  TokenList,
  TokenName,
  TokenOrder,
} from '../../../src/wire/admin.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import { joinRoles } from '../../../src/wire/fields.ts';

const fingerprint = `SHA256:${'A'.repeat(43)}`;
const key = {
  ...{ fingerprint, role: 'agent', name: 'web1', state: 'accepted', address: '10.0.0.1', by: 'token x' },
  ...{ sinceMs: 1, decidedMs: 2, untilMs: 3, refusedOthers: 0 },
};
const token = { id: '0123456789abcdef', role: 'agent', name: 'web1', expiresMs: 9, usesLeft: 1 };
const question = { role: 'operator', name: 'alice', action: 'stop', service: 'sshd', target: 'role:web' };
const group = { nodes: ['web1'], isAllowed: false, explanation: 'deny stop sshd' };
const switched = { fingerprint, nextFingerprint: fingerprint, switchesMs: 9 };

const examples = [
  ['KeyOrder', KeyOrder, { fingerprint: 'SHA256:AAAAAAAA' }],
  ['KeyList', KeyList, { keys: [key] }],
  ['TokenOrder', TokenOrder, { role: 'agent', name: 'web1', ttlMs: 3_600_000, uses: 10 }],
  ['TokenName', TokenName, { id: token.id }],
  ['CreatedToken', CreatedToken, { token: 'smj1-x', info: token }],
  ['TokenList', TokenList, { tokens: [token] }],
  ['PolicyQuestion', PolicyQuestion, question],
  ['PolicyVerdict', PolicyVerdict, { groups: [group] }],
  ['RotationOrder', RotationOrder, { overlapMs: 86_400_000 }],
  ['RotationInfo', RotationInfo, switched],
  ['AuditHeadInfo', AuditHeadInfo, { sequence: 7, hash: 'f'.repeat(64) }],
] as const;

describe('what management commands about keys take and give', () => {
  for (const [name, message, value] of examples) {
    it(`is read as it stands: ${name}`, () => {
      expect(message.parse(value)).to.deep.equal(value);
      expect(message.decode(Buffer.from(JSON.stringify(value)))).to.deep.equal(value);
    });

    it(`is refused by its name when it is nothing, or something else: ${name}`, () => {
      for (const wrong of [undefined, null, 'x', [], {}, 7]) {
        expect(() => message.parse(wrong))
          .to.throw(ServiceManagerError, new RegExp(`^${name}: `))
          .with.property('code', 'INVALID_MESSAGE');
      }
    });
  }

  const [state, ...others] = keyStates;
  for (const each of [state, ...others]) {
    it(`may be a key that is ${each}`, () => {
      expect(KeyList.parse({ keys: [{ ...key, state: each }] }).keys[0]?.state).to.equal(each);
    });
  }

  for (const role of joinRoles) {
    it(`may be a token for an ${role}, of any name`, () => {
      const { name: _, ...order } = { role, name: '', ttlMs: 1_000, uses: 1 };
      expect(TokenOrder.parse(order)).to.deep.equal(order);
    });
  }

  it('may be a key of which little is known', () => {
    const { address: _address, by: _by, decidedMs: _decided, untilMs: _until, ...least } = key;
    expect(KeyList.parse({ keys: [least] }).keys).to.deep.equal([least]);
  });

  const order = { role: 'agent', ttlMs: 1_000, uses: 1 };
  const wrong: ReadonlyArray<[message: { parse(value: unknown): unknown }, value: object, text: string]> = [
    [KeyOrder, { fingerprint: 'x'.repeat(65) }, `field fingerprint is "${'x'.repeat(60)}"..., expected a fi`],
    [KeyList, { keys: [{ ...key, state: 'gone' }] }, 'field keys.0.state is "gone", expected one of pending'],
    [KeyList, { keys: [{ ...key, role: 'root' }] }, 'field keys.0.role is "root", expected one of agent'],
    [
      KeyList,
      { keys: [{ ...key, refusedOthers: -1 }] },
      'field keys.0.refusedOthers is -1, expected a count',
    ],
    [TokenOrder, { ...order, role: 'manager' }, 'field role is "manager", expected one of agent, operator'],
    [TokenOrder, { ...order, name: '-x' }, 'field name is "-x", expected a host name'],
    [
      TokenOrder,
      { ...order, ttlMs: 999 },
      'field ttlMs is 999, expected milliseconds from 1000 to 2678400000',
    ],
    [TokenOrder, { ...order, ttlMs: 2_678_400_001 }, 'field ttlMs is 2678400001, expected milliseconds'],
    [TokenOrder, { ...order, ttlMs: 1_000.5 }, 'field ttlMs is 1000.5, expected milliseconds'],
    [TokenOrder, { ...order, uses: 0 }, 'field uses is 0, expected a number from 1 to 100000'],
    [TokenOrder, { ...order, uses: 100_001 }, 'field uses is 100001, expected a number from 1 to 100000'],
    [TokenName, { id: '0123456789ABCDEF' }, 'field id is "0123456789ABCDEF", expected a token id'],
    [
      TokenList,
      { tokens: [{ ...token, usesLeft: 0.5 }] },
      'field tokens.0.usesLeft is 0.5, expected a count',
    ],
    [
      PolicyQuestion,
      { ...question, role: 'agent' },
      'field role is "agent", expected one of operator, monitor',
    ],
    [PolicyQuestion, { ...question, action: 'Stop' }, 'field action is "Stop", expected an action'],
    [PolicyQuestion, { ...question, service: '../x' }, 'field service is "../x", expected a service name'],
    [PolicyQuestion, { ...question, target: '' }, 'field target is "", expected a target'],
    [PolicyVerdict, { groups: [{ ...group, isAllowed: 1 }] }, 'field groups.0.isAllowed is 1, expected true'],
    [RotationOrder, { overlapMs: -1 }, 'field overlapMs is -1, expected milliseconds up to 31622400000'],
    [
      RotationOrder,
      { overlapMs: 31_622_400_001 },
      'field overlapMs is 31622400001, expected milliseconds up',
    ],
    [AuditHeadInfo, { sequence: -1, hash: 'x' }, 'field sequence is -1, expected a count'],
  ];
  for (const [message, value, text] of wrong) {
    it(`is refused: ${text}`, () => {
      expect(() => message.parse(value)).to.throw(ServiceManagerError, text);
    });
  }
});
