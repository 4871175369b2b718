import type {
  ActionLimits,
  Inspection,
  Provider,
  ProviderResult,
  ReadLimits,
} from '../../src/provider/provider.ts';
import { message } from '../../src/wire/codec.ts';
import { ActionName, ServiceName, type State } from '../../src/wire/fields.ts';
import type { ManualClock } from './manual-clock.ts';

const services = message('service', 300, ServiceName);
const actions = message('action', 64, ActionName);

export const serviceOf = (name: string): ServiceName => services.parse(name);
export const actionOf = (name: string): ActionName => actions.parse(name);

export interface ScriptedService {
  /** Undefined: it never says what it is. */
  state: State | undefined;
  /** How an action goes that does not go well: its exit code, what it says, what it throws, how long it takes. */
  readonly script?: Readonly<Record<string, ScriptedRun>>;
}

export interface ScriptedRun {
  readonly exitCode?: number;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly tookMs?: number;
  readonly throws?: Error;
  readonly isVerified?: boolean;
  /** The state in the result of an action that is no status; without it `unknown`. */
  readonly says?: State;
  /** What the service is afterwards; without it a failed action changes nothing. */
  readonly leaves?: State;
}

const statusCodes: Readonly<Record<State, number>> = {
  running: 0,
  failed: 1,
  stopped: 3,
  unknown: 4,
  'not-found': 1,
};

/** The services of a host as a test writes them down: they start, stop and fail as told, and take their time by the clock. */
export class ScriptedHost implements Provider {
  /** `nginx start`, in order. */
  readonly runs: string[] = [];
  /** `nginx 500`: who was looked at, with the time that there was for it. */
  readonly looks: string[] = [];
  /** `nginx start 500`: with the time that it was given. */
  readonly limits: string[] = [];
  readonly services: Map<string, ScriptedService>;
  /** Called when an action begins. */
  onRun: (command: string) => void = () => {};
  readonly #clock: ManualClock;

  constructor(clock: ManualClock, services: Readonly<Record<string, ScriptedService>>) {
    this.#clock = clock;
    this.services = new Map(Object.entries(services));
  }

  async run(service: ServiceName, action: ActionName, limits: ActionLimits): Promise<ProviderResult> {
    const command = `${service} ${action}`;
    this.runs.push(command);
    this.limits.push(`${command} ${limits.timeoutMs}`);
    this.onRun(command);
    const known = this.services.get(service);
    if (known === undefined)
      return result({ exitCode: 1, stderr: `${service}: unrecognized service\n` }, 'not-found');
    const run = known.script?.[action] ?? {};
    if (run.throws !== undefined) throw run.throws;
    const tookMs = Math.min(run.tookMs ?? 0, limits.timeoutMs);
    this.#clock.advance(tookMs);
    if (limits.signal?.aborted) return { ...result({ exitCode: -15 }, 'unknown'), aborted: true };
    if ((run.tookMs ?? 0) > limits.timeoutMs) return this.#timedOut(known, run, tookMs);
    return { ...this.#carriedOut(known, action, run), durationMs: tookMs };
  }

  async inspect(service: ServiceName, { timeoutMs }: ReadLimits): Promise<Inspection> {
    this.looks.push(`${service} ${timeoutMs}`);
    const known = this.services.get(service);
    return { state: known === undefined ? 'not-found' : (known.state ?? 'unknown'), mainPid: undefined };
  }

  #timedOut(service: ScriptedService, { leaves }: ScriptedRun, durationMs: number): ProviderResult {
    if (leaves !== undefined) service.state = leaves;
    return { ...result({ exitCode: -15 }, 'unknown'), timedOut: true, durationMs };
  }

  #carriedOut(service: ScriptedService, action: string, run: ScriptedRun): ProviderResult {
    const { exitCode = 0, leaves } = run;
    if (action === 'status') {
      const state = service.state ?? 'unknown';
      return result({ ...run, exitCode: run.exitCode ?? statusCodes[state] }, state);
    }
    const made = action === 'start' ? 'running' : action === 'stop' ? 'stopped' : undefined;
    const after = leaves ?? (exitCode === 0 ? made : undefined);
    if (after !== undefined && service.state !== undefined) service.state = after;
    return result(run, run.says ?? 'unknown');
  }
}

function result(
  { exitCode = 0, stdout = '', stderr = '', isVerified }: ScriptedRun,
  state: State,
): ProviderResult {
  const verification = { isVerified: isVerified ?? true, reason: 'its main process changed', after: state };
  return {
    ...{ exitCode, state, provider: 'scripted' },
    ...{ timedOut: false, aborted: false, durationMs: 0 },
    stdout: { text: stdout, cutBytes: 0 },
    stderr: { text: stderr, cutBytes: 0 },
    ...(isVerified === undefined ? {} : { verification: { ...verification, changes: 1, settleMs: 100 } }),
  };
}
