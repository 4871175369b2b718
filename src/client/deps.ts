import type { Clock } from '../platform/clock.ts';
import type { Sockets } from '../platform/sockets.ts';
import type { RequestId } from '../wire/fields.ts';
import type { Identity } from './identity.ts';

/** What a client needs of the outside world. */
export interface ClientDeps {
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly newId: () => RequestId;
  /** Who asks; undefined without security. */
  readonly identity?: Identity | undefined;
  /** Without `identity`: what is said beside that no manager answered, as those with security answer no stranger. */
  readonly missingIdentity?: string | undefined;
}
