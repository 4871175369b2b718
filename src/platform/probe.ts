export interface ProbeLimits {
  readonly timeoutMs: number;
  /** When aborted, the attempt ends as at its time limit. */
  readonly signal?: AbortSignal;
}

export interface ProbeResult {
  readonly isHealthy: boolean;
  /** What it met with, for people: `HTTP 503`, `connect ECONNREFUSED 127.0.0.1:80`. */
  readonly detail: string;
}

/** Knocks at the ports of this host. Always resolves, at its time limit at the latest. */
export interface Probe {
  /** Healthy when a connection to the port on 127.0.0.1 or ::1 is taken. It is closed at once. */
  tcp(port: number, limits: ProbeLimits): Promise<ProbeResult>;
  /** Healthy when GET http://127.0.0.1:PORT/PATH is answered with 2xx or 3xx. The body is not read, a redirect not followed. */
  http(port: number, path: string, limits: ProbeLimits): Promise<ProbeResult>;
}
