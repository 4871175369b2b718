import { Admission } from '../../src/platform/admission.ts';
import { serve } from '../../src/platform/serve.ts';
import type { BoundSocket } from '../../src/platform/sockets.ts';
import { checkJoin } from '../../src/security/join-check.ts';
import { tokenVerifier } from '../../src/security/join-proof.ts';
import { type JoinToken, printJoinToken } from '../../src/security/join-token.ts';
import { KeyRing } from '../../src/security/key-ring.ts';
import { type CurveKeys, curveBytes, newCurveKeys } from '../../src/security/keys.ts';
import { isServiceManagerError } from '../../src/wire/errors.ts';
import type { JoinRole, NodeName } from '../../src/wire/fields.ts';
import { type JoinReply, JoinRequest, type ManagerPorts } from '../../src/wire/join.ts';
import { type Failure, failure, failureOf } from '../../src/wire/reply.ts';
import type { ManualClock } from './manual-clock.ts';
import type { MemorySockets } from './memory-sockets.ts';

const dayMs = 86_400_000;
const reached: ManagerPorts = { frontend: 5_500, backend: 5_600, sink: 5_700, publisher: 5_750 };

/** The join socket of a manager, with its real key ring and its real checks, at `tcp://NAME:5850`. */
export class JoinableManager {
  readonly name: NodeName;
  readonly endpoint: string;
  readonly ring = new KeyRing();
  /** What was asked, in order. */
  readonly requests: JoinRequest[] = [];
  own: CurveKeys;
  ports = reached;
  nextKey: string | undefined;
  readonly #clock: ManualClock;
  readonly #sockets: MemorySockets;
  readonly #admission: Admission;
  #socket: BoundSocket | undefined;
  #tokens = 0;

  constructor(sockets: MemorySockets, clock: ManualClock, name = 'mgr1', own = newCurveKeys()) {
    this.#sockets = sockets;
    this.#clock = clock;
    this.#admission = new Admission({ clock });
    this.#admission.authenticate(() => true);
    this.name = name as NodeName;
    this.endpoint = `tcp://${name}:5850`;
    this.own = own;
  }

  async start(): Promise<this> {
    const { publicKey, secretKey } = this.own;
    const pair = { publicKey: curveBytes(publicKey), secretKey: curveBytes(secretKey) };
    const security = { kind: 'server', domain: 'join', ...pair } as const;
    const socket = await this.#sockets.bindReply(this.endpoint, { security }, this.#admission);
    this.#socket = socket;
    void serve(socket, ([frame]) => {
      socket.send([Buffer.from(JSON.stringify(this.#answer(JoinRequest.decode(frame ?? Buffer.alloc(0)))))]);
    });
    return this;
  }

  async stop(): Promise<void> {
    await this.#socket?.close();
  }

  /** As `token create` prints it. */
  token(role: JoinRole, name?: string): string {
    this.#tokens += 1;
    const id = this.#tokens.toString(16).padStart(16, '0');
    const expiresAtMs = this.#clock.wallMs() + dayMs;
    const token: JoinToken = {
      ...{ manager: this.own.publicKey, id, secret: Buffer.alloc(24, this.#tokens), role, expiresAtMs },
      ...(name === undefined ? {} : { name }),
    };
    const entry = { id, verifier: tokenVerifier(token), role, name, expiresWallMs: expiresAtMs, usesLeft: 1 };
    this.ring.addToken(entry);
    return printJoinToken(token);
  }

  /** `agent web1 accepted`, for each key that it knows. */
  get known(): string[] {
    return this.ring.keys().map(({ role, name, state }) => `${role} ${name} ${state}`);
  }

  #answer(request: JoinRequest): JoinReply | Failure {
    this.requests.push(request);
    const nowWallMs = this.#clock.wallMs();
    const keyOf = (fingerprint: Parameters<KeyRing['byFingerprint']>[0]) =>
      this.ring.byFingerprint(fingerprint);
    try {
      const ask = checkJoin(request, { manager: this.own, nowWallMs, address: undefined, keyOf });
      const verdict = this.ring.join(ask, nowWallMs);
      if (verdict.kind === 'refused') return failure(verdict.code, verdict.reason);
      const { kind: state, entry } = verdict;
      const next = this.nextKey === undefined ? {} : { nextKey: this.nextKey };
      return {
        success: 0,
        state,
        fingerprint: entry.fingerprint,
        manager: this.name,
        ports: this.ports,
        ...next,
      };
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      return failureOf(error);
    }
  }
}
