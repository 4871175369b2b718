import type { Admission } from '../../src/platform/admission.ts';
import type {
  ClientSecurity,
  HandshakeFailure,
  RefusalReason,
  ServerSecurity,
} from '../../src/platform/socket-security.ts';

export interface Secured {
  readonly security: ServerSecurity | undefined;
  readonly admission: Admission;
}

export interface Securing {
  readonly security: ClientSecurity | undefined;
}

const address = '127.0.0.1';

/** What CURVE and the decider would say of these two; undefined lets them talk. */
export function refusalOf(client: Securing, server: Secured): HandshakeFailure | undefined {
  if (server.security === undefined) return client.security === undefined ? undefined : 'mechanism';
  const { domain, publicKey: serverKey } = server.security;
  const refuse = (reason: RefusalReason) => server.admission.refuse({ domain, reason });
  if (client.security === undefined) {
    refuse('mechanism');
    return 'mechanism';
  }
  const { publicKey, serverKeys } = client.security;
  if (!serverKeys.some((key) => key.equals(serverKey))) {
    refuse('wrong server key');
    return 'cut off';
  }
  return server.admission.admits({ domain, address, publicKey }) ? undefined : 'refused';
}
