import { join } from '../../../src/client/join.ts';
import { nodeClock } from '../../../src/platform/node/clock.ts';
import { newRequestId } from '../../../src/platform/node/ids.ts';
import type { ClientSecurity, HandshakeFailure } from '../../../src/platform/socket-security.ts';
import type { Frames, Sockets } from '../../../src/platform/sockets.ts';
import { ZmqSockets } from '../../../src/platform/zmq/sockets.ts';
import { agentProofKey, sinkMac } from '../../../src/security/agent-proof.ts';
import type { JoinToken } from '../../../src/security/join-token.ts';
import { publicPartOf, type SecretKeyFile } from '../../../src/security/key-file.ts';
import { signBody } from '../../../src/security/signature.ts';
import { isServiceManagerError } from '../../../src/wire/errors.ts';
import type { JoinRole, NodeName, RequestId } from '../../../src/wire/fields.ts';
import { RequestBody, sealRequest } from '../../../src/wire/request.ts';
import { isObject, type JsonObject } from '../harness/management.ts';
import { onCleanUp } from '../harness/processes.ts';
import { keysOf, type SecuredManager, securityOf } from '../harness/secured-fleet.ts';

const deadlineMs = 5_000;

export interface JoinAttempt {
  readonly manager: SecuredManager;
  readonly role: JoinRole;
  readonly name: string;
  readonly token?: JoinToken;
}

/** What a server made of somebody who knocked: its answer, or why there was none. */
export type Fate = { readonly reply: JsonObject } | { readonly failure: HandshakeFailure | 'silence' };

/** Sockets of an attacker, closed by `cleanUp()`. */
export function attackerSockets(): ZmqSockets {
  const sockets = new ZmqSockets();
  onCleanUp(() => sockets.close());
  return sockets;
}

/** Sends frames to a ROUTER or REP, and resolves with what came of it. */
export async function ask(
  endpoint: string,
  frame: Buffer | string,
  security: ClientSecurity | undefined,
  withinMs = deadlineMs,
): Promise<Fate> {
  const sockets = attackerSockets();
  try {
    return await new Promise<Fate>((resolve, reject) => {
      const onHandshakeFailed = (failure: HandshakeFailure) => resolve({ failure });
      const options = security === undefined ? {} : { security, onHandshakeFailed };
      const dealer = sockets.connectDealer(endpoint, options);
      dealer.send([Buffer.alloc(0), Buffer.from(frame)]);
      nodeClock.after(withinMs, 'silence', () => resolve({ failure: 'silence' }));
      firstOf(dealer).then((frames) => resolve({ reply: parsed(frames) }), reject);
    });
  } finally {
    await sockets.close();
  }
}

/** Whether a SUB or a PUSH is let in there. */
export async function entry(
  kind: 'subscriber' | 'push',
  endpoint: string,
  security: ClientSecurity,
): Promise<HandshakeFailure | 'let in' | 'silence'> {
  const sockets = attackerSockets();
  try {
    return await new Promise((resolve) => {
      const told = {
        onHandshakeDone: () => resolve('let in'),
        onHandshakeFailed: (failure: HandshakeFailure) => resolve(failure),
      };
      const connect = kind === 'push' ? 'connectPush' : 'connectSubscriber';
      void firstOf(sockets[connect](endpoint, { security, ...told }));
      nodeClock.after(deadlineMs, 'silence', () => resolve('silence'));
    });
  } finally {
    await sockets.close();
  }
}

/** Pushes messages into the sink as this agent, and waits until they have left. */
export async function pushInto(
  manager: SecuredManager,
  { curve }: SecretKeyFile,
  messages: readonly Frames[],
): Promise<void> {
  const sockets = attackerSockets();
  const security = securityOf(curve, manager.keys.publicKey);
  const push = sockets.connectPush(manager.endpoints.sink, { security, lingerMs: 2_000 });
  void firstOf(push);
  for (const frames of messages) push.send(frames);
  await push.close();
}

/** A sink message with a proof made with these keys, whoever it says it is from. */
export function proved(
  { curve }: SecretKeyFile,
  manager: SecuredManager,
  [type, uuid, node, sequence, payload]: readonly [string, string, string, string, string],
): Buffer[] {
  const frames = [type, uuid, node, sequence, payload].map((text) => Buffer.from(text));
  const [typeFrame, uuidFrame, nodeFrame, sequenceFrame, payloadFrame] = frames;
  if (!typeFrame || !uuidFrame || !nodeFrame || !sequenceFrame || !payloadFrame) return frames;
  const parts = { type: typeFrame, uuid: uuidFrame, node: nodeFrame, sequence: sequenceFrame };
  const key = agentProofKey(curve, manager.keys.publicKey);
  return [...frames, sinkMac(key, { ...parts, payload: payloadFrame })];
}

/** What a good client writes; `changes` to be signed as well. */
export function bodyOf(changes: Readonly<Record<string, unknown>>): RequestBody {
  const order = { cmd: 'restart', topic: 'any', service: 'nginx', windowMs: 5_000 };
  const times = { sentAtMs: Date.now(), notAfterMs: Date.now() + 5_000 };
  return RequestBody.parse({ id: newRequestId(), ...order, ...times, ...changes });
}

/** The frame of a request, signed with these keys. */
export function signed(body: RequestBody, keys: SecretKeyFile): Buffer {
  return sealRequest(body, (bytes) => signatureOf('request', bytes, keys));
}

export function signatureOf(kind: 'request' | 'query', bytes: Uint8Array, keys: SecretKeyFile): string {
  if (keys.sign === undefined) throw new Error(`${keys.kind} ${keys.name} does not sign`);
  return signBody(kind, bytes, { keys: publicPartOf(keys).keys, secret: keys.sign.secretKey });
}

/** The same frame with other fields: the signature is that of the frame as it was. */
export function withFields(frame: Buffer, fields: Readonly<Record<string, unknown>>): Buffer {
  return Buffer.from(JSON.stringify({ ...JSON.parse(String(frame)), ...fields }));
}

export function idOf({ id }: RequestBody): RequestId {
  return id;
}

/** Asks to be let in with new keys: what became of it, or the code of the refusal. */
export async function joinAs({ manager, role, name, token }: JoinAttempt): Promise<string> {
  const sockets = attackerSockets();
  const order = { role, name: name as NodeName, keys: keysOf(role, name), manager: manager.keys.publicKey };
  try {
    const times = { nowWallMs: Date.now(), ...(token === undefined ? {} : { token }) };
    const { state } = await join(manager.joinEndpoint, { ...order, ...times }, deadlineMs, {
      ...{ sockets, clock: nodeClock },
    });
    return state;
  } catch (error) {
    if (!isServiceManagerError(error)) throw error;
    return error.code;
  } finally {
    await sockets.close();
  }
}

async function firstOf(socket: ReturnType<Sockets['connectDealer']>): Promise<Buffer[]> {
  for await (const frames of socket) return frames;
  return [];
}

function parsed(frames: readonly Buffer[]): JsonObject {
  const value: unknown = JSON.parse(String(frames[1] ?? '{}'));
  return isObject(value) ? value : {};
}
