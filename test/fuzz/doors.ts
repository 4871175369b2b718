import { readFileSync } from 'node:fs';
import { parseTarget } from '../../src/core/target-parser.ts';
import { auditStart, nextLine, readAuditLine } from '../../src/security/audit-chain.ts';
import { auditLines } from '../../src/security/audit-lines.ts';
import { verifyChain } from '../../src/security/audit-verify.ts';
import { findFingerprint, fingerprintOf } from '../../src/security/fingerprint.ts';
import { isGoodJoin } from '../../src/security/join-proof.ts';
import { printJoinToken, readJoinToken } from '../../src/security/join-token.ts';
import {
  printPublicKeyFile,
  printSecretKeyFile,
  publicPartOf,
  readPublicKeyFile,
  readSecretKeyFile,
} from '../../src/security/key-file.ts';
import {
  deriveCurvePublic,
  deriveSignPublic,
  isCurveSecret,
  signSecretFrom,
} from '../../src/security/keys.ts';
import { printKnownManager, readKnownManager } from '../../src/security/known-manager.ts';
import { parsePolicy } from '../../src/security/policy-parser.ts';
import { isGoodClaimSignature, signClaim } from '../../src/security/possession.ts';
import { signBody, verifyBody } from '../../src/security/signature.ts';
import { encodeZ85 } from '../../src/security/z85.ts';
import { message } from '../../src/wire/codec.ts';
import { idOfRefused, openDispatch } from '../../src/wire/dispatch.ts';
import { RequestId } from '../../src/wire/fields.ts';
import { answerManagement } from '../../src/wire/management.ts';
import { messages } from '../../src/wire/messages.ts';
import { isMeantAsQuery, openQuery } from '../../src/wire/query.ts';
import { nextKeyIn } from '../../src/wire/reply.ts';
import { openRequest } from '../../src/wire/request.ts';
import { openSinkMessage, sinkRoutingOf } from '../../src/wire/sink.ts';
import { readSubscription, readTopicFrame } from '../../src/wire/topic.ts';
import type { Input } from './mutations.ts';

/** One place at which something from outside comes in. */
export interface Door {
  readonly name: string;
  /** Good ones, of which bad ones are made. */
  readonly examples: readonly Input[];
  /** May throw a ServiceManagerError, and nothing else. */
  open(input: Input): unknown;
}

const nothing = Buffer.alloc(0);
const id = message('id', 64, RequestId).parse('0123456789abcdef0123456789abcdef');
const page = readFileSync(new URL('../../docs/PROTOCOL.md', import.meta.url), 'utf8');

function input(...frames: ReadonlyArray<string | object>): Input {
  return frames.map((frame) => Buffer.from(typeof frame === 'string' ? frame : JSON.stringify(frame)));
}

function exampleOf(name: string): Input[] {
  const examples = [...page.matchAll(new RegExp(`^\`\`\`json ${name}\n([\\s\\S]*?)\n\`\`\``, 'gm'))];
  return examples.map(([, text = '']) => input(text));
}

function first(frames: Input): Buffer {
  return frames[0] ?? nothing;
}

/** A door through which text comes. */
function textDoor(name: string, examples: readonly string[], open: (text: string) => unknown): Door {
  return {
    name,
    examples: examples.map((text) => input(text)),
    open: (frames) => open(first(frames).toString()),
  };
}

const decoders: readonly Door[] = messages.map(({ name, decode }) => ({
  name,
  examples: [...exampleOf(name), input({ uuid: id, id, node: 'web1', sequence: 7 })],
  open: (frames) => decode(first(frames)),
}));

const asked = { cmd: 'status', topic: 'Linux', service: 'sshd' };
const body = JSON.stringify({ id, ...asked, timeoutMs: 500 });
const answers = exampleOf('Answer').map(first);
const [hello = nothing] = exampleOf('Hello').map(first);
const query = JSON.stringify({ v: 2, query: 'cancel', id, nonce: id, notAfterMs: 5, sentAtMs: 4 });
const nextKey = 'a'.repeat(40);

const wireDoors: readonly Door[] = [
  {
    name: 'openRequest',
    examples: [input(asked), input({ ...asked, v: 2, body, signature: 'x' })],
    open: (frames) => openRequest(first(frames), () => id),
  },
  {
    name: 'openQuery',
    examples: [input(query), input({ v: 2, signed: query, signature: 'x' })],
    open: (frames) => {
      isMeantAsQuery(first(frames));
      return openQuery(first(frames));
    },
  },
  {
    name: 'next key in a reply',
    examples: [input({ nextKey, uuid: id, port: 1 }), input({ success: -1, msg: '' })],
    open: (frames) => nextKeyIn(first(frames)),
  },
  {
    name: 'openDispatch',
    examples: [
      input('Linux', { ...asked, uuid: id }),
      input('\u0002Linux\0', { v: 2, type: 'request', id, notAfterMs: 5 }, body, ''),
      input('\u0003web1\0', { v: 2, type: 'conflict', boots: [id] }, '', ''),
      input('\u0003web1\0', { v: 2, type: 'cancel', id }, query, 'x'),
      input('\u0003*\0', { v: 2, type: 'pulse', nextKey }, '', ''),
    ],
    open: (frames) => {
      idOfRefused(frames);
      return openDispatch(frames);
    },
  },
  {
    name: 'openSinkMessage',
    examples: [
      ...answers.map((answer) => [answer]),
      ...answers.map((answer) => [...input('result', id, 'web1', '7'), answer, nothing]),
      input('ack', id, 'web1', '8', { phase: 'queued' }, ''),
      [...input('hello', id, 'web1', '0'), hello, nothing],
      input('beat', id, 'web1', '9', '', ''),
      input('beat', id, 'web1', '9', { sentAtMs: 5 }, 'x'.repeat(32)),
    ],
    open: (frames) => {
      sinkRoutingOf(frames);
      return openSinkMessage(frames);
    },
  },
  {
    name: 'topic frames',
    examples: [input('\u0001\u0002web1\0'), input('\0Linux'), input('\u0003web1\0')],
    open: (frames) => [readTopicFrame(first(frames)), readSubscription(first(frames))],
  },
  {
    name: 'management',
    examples: [input({ cmd: 'manager.status' }), input({ cmd: 'manager.keys.list', args: { id } })],
    open: (frames) => answerManagement(frames, {}),
  },
];

const curveSecret = encodeZ85(Buffer.alloc(32, 3));
if (!isCurveSecret(curveSecret)) throw new Error('no secret');
const signSecret = signSecretFrom(Buffer.alloc(32, 4));
const curve = { secretKey: curveSecret, publicKey: deriveCurvePublic(curveSecret) };
const sign = { secretKey: signSecret, publicKey: deriveSignPublic(signSecret) };
const keys = { curve: curve.publicKey, sign: sign.publicKey };
const created = '2026-11-05T10:00:00Z';
const operator = { kind: 'operator', name: 'alice', created, curve, sign } as const;
const agent = { kind: 'agent', name: 'web1', created, curve } as const;
const token = {
  manager: curve.publicKey,
  id: '0123456789abcdef',
  secret: Buffer.alloc(24, 5),
  role: 'agent',
  name: 'web1',
  expiresAtMs: 5,
} as const;
const one = nextLine(auditStart, {
  timeMs: 0,
  event: 'a',
  fields: { text: 'x', nodes: ['a'], outcomes: { ok: 1 } },
});
const two = nextLine(one.head, { timeMs: 1, event: 'b', fields: {} });
const signature = signBody('request', Buffer.from(body), { keys, secret: signSecret });
const fingerprints = [fingerprintOf(keys), fingerprintOf({ curve: curve.publicKey })];

const manager = {
  name: 'mgr1',
  key: curve.publicKey,
  nextKey: curve.publicKey,
  endpoints: { join: 'tcp://mgr1:5850', frontend: 'tcp://mgr1:5500', sink: 'ipc:///run/sink' },
};
const claim = { manager: curve.publicKey, role: 'operator', name: 'alice', keys, sentAtMs: 5 } as const;

const targets = [
  'web1',
  'web[01-40],db1',
  'role:web and not web[1-5],db*',
  "(role:web or role:db) and not 'rack 7'",
  'rack[1-2]-web[1,3-4]',
];

const policySource = {
  fileName: 'POLICY',
  checkTarget: (target: string) => parseTarget(target),
  extraActions: [],
};
const policy = [
  '# comment',
  'deny = stop sshd',
  'allow operator:alice start, stop, restart nginx, postgres* at role:web and not web3',
  'allow monitor @read *',
].join('\n');

const securityDoors: readonly Door[] = [
  textDoor('target', targets, (text) => parseTarget(text)),
  textDoor('policy', [policy, ...policy.split('\n')], (text) => parsePolicy(text, policySource)),
  textDoor('secret key file', [printSecretKeyFile(operator), printSecretKeyFile(agent)], (text) =>
    readSecretKeyFile(text, 'KEY'),
  ),
  textDoor(
    'public key file',
    [printPublicKeyFile(publicPartOf(operator)), printPublicKeyFile(publicPartOf(agent))],
    (text) => readPublicKeyFile(text, 'KEY'),
  ),
  textDoor('join token', [printJoinToken(token), printJoinToken({ ...token, role: 'operator' })], (text) =>
    readJoinToken(text),
  ),
  textDoor('join proof', ['A'.repeat(86)], (text) =>
    isGoodJoin(
      sign.publicKey,
      { tokenId: '1', manager: curve.publicKey, role: 'agent', name: 'web1', keys },
      text,
    ),
  ),
  textDoor('known manager', [printKnownManager(manager)], (text) => readKnownManager(text, 'MANAGER')),
  textDoor('claim', [signClaim(claim, sign.secretKey)], (text) =>
    isGoodClaimSignature(claim, sign.publicKey, text),
  ),
  textDoor('signature', [signature], (text) =>
    verifyBody('request', Buffer.from(body), text, () => sign.publicKey),
  ),
  textDoor('fingerprint', fingerprints, (text) => findFingerprint(text, fingerprints)),
  textDoor('audit line', [one.line, two.line], (text) => readAuditLine(text)),
  {
    name: 'audit log',
    examples: [input(`${one.line}\n${two.line}\n`)],
    open: (frames) => verifyChain(auditLines(frames), { head: two.head }),
  },
];

/** All of them: every message that travels, every text that somebody writes, every file that is read. */
export const doors: readonly Door[] = [...decoders, ...wireDoors, ...securityDoors];
