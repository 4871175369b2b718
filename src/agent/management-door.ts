import type { Decide, ServerSecurity } from '../platform/socket-security.ts';
import type { BoundSocket, Sockets } from '../platform/sockets.ts';
import { type CurveKeys, curveBytes } from '../security/keys.ts';

const lingerMs = 1_000;

/** The management socket of an agent. With security it is for whoever has the agent's own secret key: who can read its key file. */
export class ManagementDoor {
  readonly socket: BoundSocket;
  readonly #sockets: Sockets;
  #own: CurveKeys | undefined;

  /** Rejects with ENDPOINT_UNUSABLE. */
  static async open(sockets: Sockets, endpoint: string, own: CurveKeys | undefined): Promise<ManagementDoor> {
    if (own !== undefined) sockets.authenticate(isOwner(own));
    const security = own === undefined ? {} : { security: securityOf(own) };
    return new ManagementDoor(sockets, await sockets.bindReply(endpoint, { lingerMs, ...security }), own);
  }

  private constructor(sockets: Sockets, socket: BoundSocket, own: CurveKeys | undefined) {
    this.#sockets = sockets;
    this.socket = socket;
    this.#own = own;
  }

  /** The agent has these keys from now on; without security it has none. Rejects with ENDPOINT_UNUSABLE. */
  async replaceOwnKeys(own: CurveKeys): Promise<void> {
    if (this.#own === undefined || own.publicKey === this.#own.publicKey) return;
    this.#own = own;
    this.#sockets.authenticate(isOwner(own));
    await this.socket.rekey(securityOf(own));
  }

  close(): Promise<void> {
    return this.socket.close();
  }
}

function securityOf({ publicKey, secretKey }: CurveKeys): ServerSecurity {
  return {
    ...{ kind: 'server', domain: 'management' },
    ...{ publicKey: curveBytes(publicKey), secretKey: curveBytes(secretKey) },
  };
}

function isOwner({ publicKey }: CurveKeys): Decide {
  const own = curveBytes(publicKey);
  return (peer) => peer.publicKey.equals(own);
}
