import { Closing } from '../platform/closing.ts';
import { nodeClock } from '../platform/node/clock.ts';
import { newRequestId } from '../platform/node/ids.ts';
import { ZmqSockets } from '../platform/zmq/sockets.ts';
import type { ClientDeps } from './deps.ts';
import { ServiceManagerClient, type ServiceManagerOptions } from './service-manager.ts';

export { type ErrorCode, errorCodes, isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
export type { State } from '../wire/fields.ts';
export { type Outcome, outcomes } from '../wire/outcome.ts';
export type { OutputPiece } from '../wire/output.ts';
export type { NodeInfo, Progress, RequestInfo, RolloutInfo } from '../wire/query.ts';
export type { Absence } from '../wire/reply.ts';
export type { Rollout } from '../wire/request.ts';
export { type Answer, isServiceAnswer, type ServiceAnswer, type TroubleAnswer } from '../wire/result.ts';
export type { ClientDeps } from './deps.ts';
export type { History, RequestConditions } from './history.ts';
export type { Order } from './order.ts';
export type { NodeOutcome, PendingRequest, Summary } from './pending-request.ts';
export type { Plan } from './requests.ts';
export type { ServiceManagerOptions } from './service-manager.ts';

/**
 * The library door.
 *
 * ```ts
 * await using manager = new ServiceManager({ endpoints: ['tcp://manager:5500'] });
 * const request = await manager.send({ topic: 'role:web', action: 'status', service: 'nginx' });
 * for await (const answer of request) console.log(answer);
 * console.log(request.summary);
 * ```
 */
export class ServiceManager extends ServiceManagerClient implements AsyncDisposable {
  readonly #closing: Closing;

  /** `deps` replaces the real sockets, clock and ids: for tests, and for programs that have them already. */
  constructor(options: ServiceManagerOptions = {}, deps?: ClientDeps) {
    const closing = new Closing();
    super(options, deps ?? { sockets: closing.add(new ZmqSockets()), clock: nodeClock, newId: newRequestId });
    closing.add({ close: () => super.close() });
    this.#closing = closing;
  }

  override close(): Promise<void> {
    return this.#closing.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
