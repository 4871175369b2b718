import { Closing } from '../platform/closing.ts';
import { nodeClock } from '../platform/node/clock.ts';
import { newRequestId } from '../platform/node/ids.ts';
import { NodeKeyFiles } from '../platform/node/key-files.ts';
import { readUser } from '../platform/node/user.ts';
import { warn } from '../platform/node/warning.ts';
import { ZmqSockets } from '../platform/zmq/sockets.ts';
import type { ClientDeps } from './deps.ts';
import { missingIdentity, ownIdentity, personKeyFolder } from './own-identity.ts';
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
 * await using manager = new ServiceManager();
 * const request = await manager.send({ topic: 'role:web', action: 'status', service: 'nginx' });
 * for await (const answer of request) console.log(answer);
 * console.log(request.summary);
 * ```
 *
 * It asks with the keys that `service-mgr-client join` has made, and only managers that were joined with them. Without keys
 * it asks those on this host.
 */
export class ServiceManager extends ServiceManagerClient implements AsyncDisposable {
  readonly #closing: Closing;

  /**
   * `deps` replaces the real keys, sockets, clock and ids: for tests, and for programs that have them already. Throws
   * BAD_CONFIG for keys that cannot be used, where they are missing, and for endpoints beyond this host without keys.
   */
  constructor(options: ServiceManagerOptions = {}, deps?: ClientDeps) {
    const closing = new Closing();
    super(options, deps ?? realDeps(options, closing));
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

function realDeps(options: ServiceManagerOptions, closing: Closing): ClientDeps {
  const asking = whoAsks(options);
  return { sockets: closing.add(new ZmqSockets()), clock: nodeClock, newId: newRequestId, ...asking };
}

function whoAsks(options: ServiceManagerOptions): Pick<ClientDeps, 'identity' | 'missingIdentity'> {
  const { endpoints = [], security: mode = 'auto', allowInsecure = false } = options;
  const { keyDir = `${readUser().configFolder}/service-mgr` } = options;
  const folder = personKeyFolder(new NodeKeyFiles(), keyDir);
  const security = { mode, allowInsecure };
  const identity = ownIdentity({
    ...{ folder, security },
    endpoints: { endpoints },
    places: { security: 'ServiceManager', endpoints: 'ServiceManager' },
    tell: warn,
  });
  return identity === undefined ? { missingIdentity: missingIdentity({ folder, security }) } : { identity };
}
