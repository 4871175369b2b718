import { request } from 'node:http';
import { connect } from 'node:net';
import type { Probe, ProbeLimits, ProbeResult } from '../probe.ts';

const ipv4 = '127.0.0.1';
const ipv6 = '::1';

export const nodeProbe: Probe = { tcp: probeTcp, http: probeHttp };

async function probeTcp(port: number, limits: ProbeLimits): Promise<ProbeResult> {
  const signal = endOf(limits);
  const first = await connectTo(ipv4, port, limits, signal);
  if (first.isHealthy || signal.aborted) return first;
  const second = await connectTo(ipv6, port, limits, signal);
  return second.isHealthy ? second : first;
}

function connectTo(
  host: string,
  port: number,
  limits: ProbeLimits,
  signal: AbortSignal,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, signal });
    socket.once('connect', () => resolve({ isHealthy: true, detail: `${host}:${port} takes connections` }));
    socket.once('connect', () => socket.destroy());
    socket.once('error', (error) => resolve(failure(error, limits, signal)));
  });
}

function probeHttp(port: number, path: string, limits: ProbeLimits): Promise<ProbeResult> {
  const signal = endOf(limits);
  return new Promise((resolve) => {
    const headers = { host: `localhost:${port}`, connection: 'close', 'user-agent': 'service-mgr' };
    const asked = request({ host: ipv4, port, path, headers, signal, agent: false });
    asked.once('response', (response) => {
      const { statusCode = 0 } = response;
      resolve({ isHealthy: statusCode >= 200 && statusCode < 400, detail: `HTTP ${statusCode}` });
      response.destroy();
    });
    // What comes after the answer, such as the end of a body that is not read, is nobody's business.
    asked.on('error', (error) => resolve(failure(error, limits, signal)));
    asked.end();
  });
}

function endOf({ timeoutMs, signal }: ProbeLimits): AbortSignal {
  const timeout = AbortSignal.timeout(timeoutMs);
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
}

function failure(error: Error, { timeoutMs, signal }: ProbeLimits, end: AbortSignal): ProbeResult {
  if (signal?.aborted) return { isHealthy: false, detail: 'cancelled' };
  const detail = end.aborted ? `no answer within ${timeoutMs / 1_000} s` : error.message;
  return { isHealthy: false, detail };
}
