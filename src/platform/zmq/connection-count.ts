import type * as zmq from 'zeromq';
import type { Admission } from '../admission.ts';
import type { RefusalReason } from '../socket-security.ts';

/**
 * What the events of a bound socket tell about its connections: how many are through with their handshake, and which were
 * not let in. libzmq ends a connection that doesn't even speak its protocol without saying why, so that the number is an
 * estimate, and never one too high.
 */
export class ConnectionCount {
  readonly #domain: string;
  readonly #admission: Admission;
  #connections = 0;
  #failed = 0;

  constructor(domain: string, admission: Admission) {
    this.#domain = domain;
    this.#admission = admission;
  }

  saw(event: zmq.Event): void {
    if (event.type === 'handshake') this.#change(1);
    else if (event.type === 'disconnect') this.#disconnected();
    else if (event.type.startsWith('handshake:error:')) this.#refused(event);
  }

  /** The socket is closed. */
  ended(): void {
    this.#change(-this.#connections);
  }

  #refused(event: zmq.Event): void {
    this.#failed += 1;
    const reason = refusalReason(event);
    if (reason !== undefined) this.#admission.refuse({ domain: this.#domain, reason });
  }

  #disconnected(): void {
    if (this.#failed > 0) this.#failed -= 1;
    else if (this.#connections > 0) this.#change(-1);
  }

  #change(change: number): void {
    this.#connections += change;
    this.#admission.count(this.#domain, change);
  }
}

/** Undefined where the authenticator has said it, and knows more. */
function refusalReason(event: zmq.Event): RefusalReason | undefined {
  if (event.type === 'handshake:error:auth') return undefined;
  if (event.type !== 'handshake:error:protocol') return 'timeout';
  if (event.error.code === 'ERR_ZMTP_CRYPTOGRAPHIC') return 'wrong server key';
  return event.error.code === 'ERR_ZMTP_MECHANISM_MISMATCH' ? 'mechanism' : 'protocol';
}
