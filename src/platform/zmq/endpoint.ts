import { ServiceManagerError } from '../../wire/errors.ts';

type Verb = 'bind' | 'connect';

const tcpEndpoint = /^tcp:\/\/(?:\[[^\]]+\]|[^\s:/[\]]+):(\*|\d{1,5})$/;
const largestPort = 65_535;

/**
 * Throws a plain reason for what libzmq would take for something else: it keeps the lower 16 bits of a port, so that
 * `:99999` is 34463, and stops reading at the first letter, so that `:5500x` is 5500.
 */
export function checkEndpoint(verb: Verb, endpoint: string): void {
  if (!endpoint.startsWith('tcp:')) return;
  const port = tcpEndpoint.exec(endpoint)?.[1];
  if (port === undefined) throw new RangeError('it is not of the form tcp://HOST:PORT');
  if (Number(port) > largestPort) throw new RangeError(`the largest port is ${largestPort}`);
  if (verb === 'connect' && /\*|:0+$/.test(endpoint)) throw new RangeError('it is good for binding only');
}

export function endpointUnusable(verb: Verb, endpoint: string, cause: unknown): ServiceManagerError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ServiceManagerError('ENDPOINT_UNUSABLE', `cannot ${verb} ${endpoint}: ${reason}`, { cause });
}
