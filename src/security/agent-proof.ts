import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto';
import { type CurveKeys, type CurvePublic, curveBytes, sharedSecret } from './keys.ts';
import { transcript } from './transcript.ts';

/** Known to one agent and one manager, and to nobody else. */
export type ProofKey = KeyObject & { readonly [brand]: 'ProofKey' };
declare const brand: unique symbol;

/** The frames of a sink message before its last one, which is the MAC: as they travel. */
export interface SinkFrames {
  readonly type: Uint8Array;
  readonly uuid: Uint8Array;
  readonly node: Uint8Array;
  readonly sequence: Uint8Array;
  readonly payload: Uint8Array;
}

const macBytes = 32;

/** At the agent. Throws BAD_KEY for a key of a manager that is none. */
export function agentProofKey(agent: CurveKeys, manager: CurvePublic): ProofKey {
  return proofKey(sharedSecret(agent.secretKey, manager), agent.publicKey, manager);
}

/** At the manager. Throws BAD_KEY for a key of an agent that is none. */
export function managerProofKey(manager: CurveKeys, agent: CurvePublic): ProofKey {
  return proofKey(sharedSecret(manager.secretKey, agent), agent, manager.publicKey);
}

/** The last frame. */
export function sinkMac(key: ProofKey, { type, uuid, node, sequence, payload }: SinkFrames): Buffer {
  const parts = [type, uuid, node, sequence, payload];
  return createHmac('sha256', key).update(transcript('service-mgr/agent-proof/1', parts)).digest();
}

/** Takes as long for a wrong one as for the right one. */
export function isGoodSinkMac(key: ProofKey, frames: SinkFrames, mac: Uint8Array): boolean {
  return mac.byteLength === macBytes && timingSafeEqual(sinkMac(key, frames), mac);
}

/** HKDF (RFC 5869): the salt says what it is for, the info for whom, the agent first. */
function proofKey(secret: Buffer, agent: CurvePublic, manager: CurvePublic): ProofKey {
  const domain = 'service-mgr/agent-proof-key/1';
  const info = transcript(domain, ['sink', curveBytes(agent), curveBytes(manager)]);
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, domain, info, macBytes))) as ProofKey;
}
