import { Connections, type Securities } from '../client/connections.ts';
import { askManagement, type ManagementCommand } from '../client/management.ts';
import type { Clock } from '../platform/clock.ts';
import { isForbidden } from '../platform/forbidden.ts';
import type { Sockets } from '../platform/sockets.ts';
import { type CurveKeys, curveBytes } from '../security/keys.ts';
import { isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import type { ManagementReply } from '../wire/management.ts';

export interface ManagementOptions {
  readonly endpoint: string;
  /** Of the daemon; undefined: it runs without security. Throws BAD_CONFIG. */
  readonly ownKeys: () => CurveKeys | undefined;
  readonly sockets: Sockets;
  readonly clock: Clock;
}

/** A message of the wire that a result has to be. */
interface Known<Value> {
  readonly name: string;
  /** Throws INVALID_MESSAGE. */
  parse(value: unknown): Value;
}

const usualTimeoutMs = 5_000;

/** The management socket of a daemon. With security it is for whoever has the daemon's own keys, so these are used. */
export class Management {
  readonly #options: ManagementOptions;

  constructor(options: ManagementOptions) {
    this.#options = options;
  }

  get endpoint(): string {
    return this.#options.endpoint;
  }

  /** Rejects as `askManagement` does, and with BAD_CONFIG when the keys of the daemon cannot be read. */
  async ask(command: ManagementCommand, timeoutMs = usualTimeoutMs): Promise<ManagementReply> {
    const { endpoint, sockets, clock, ownKeys } = this.#options;
    await using connections = new Connections(sockets, clock, securitiesOf(readable(ownKeys)));
    try {
      return await askManagement(endpoint, command, timeoutMs, connections);
    } catch (error) {
      const isPlain = isServiceManagerError(error) && connections.failureOf(endpoint) === 'mechanism';
      throw isPlain ? withoutKeys(error) : error;
    }
  }

  /** The result of a command. Rejects with INVALID_REPLY as well. */
  async askFor<Value>(
    command: ManagementCommand,
    result: Known<Value>,
    timeoutMs = usualTimeoutMs,
  ): Promise<Value> {
    const reply = await this.ask(command, timeoutMs);
    try {
      return result.parse(reply.result);
    } catch (cause) {
      if (!isServiceManagerError(cause)) throw cause;
      throw new ServiceManagerError(
        'INVALID_REPLY',
        `${this.endpoint} sent something that is no ${result.name}`,
        { cause },
      );
    }
  }

  /** The same socket, spoken to with other keys. */
  withKeys(keys: CurveKeys): Management {
    return new Management({ ...this.#options, ownKeys: () => keys });
  }
}

function securitiesOf(own: CurveKeys | undefined): Securities | undefined {
  if (own === undefined) return undefined;
  const publicKey = curveBytes(own.publicKey);
  const pair = { publicKey, secretKey: curveBytes(own.secretKey) };
  const security = { kind: 'client', ...pair, serverKeys: [publicKey] } as const;
  return { securityOf: () => security };
}

function withoutKeys(error: ServiceManagerError): ServiceManagerError {
  const why = 'it was started before it had keys; stop it with SIGTERM, and start it again';
  return new ServiceManagerError(error.code, `${error.message}: ${why}`, { cause: error });
}

/** Whoever may not read the keys is told who may. */
function readable(ownKeys: ManagementOptions['ownKeys']): CurveKeys | undefined {
  try {
    return ownKeys();
  } catch (error) {
    if (!isServiceManagerError(error) || !isForbidden(error)) throw error;
    throw new ServiceManagerError(
      error.code,
      `${error.message}: run it as root, or as the user of the daemon`,
      { cause: error },
    );
  }
}
