import type { CapturedOutput } from '../../src/platform/processes.ts';
import type { ActionLimits, Inspection, Provider, ProviderResult } from '../../src/provider/provider.ts';
import type { ActionName, ServiceName, State } from '../../src/wire/fields.ts';

export interface MemoryService {
  state: Extract<State, 'running' | 'stopped' | 'failed'>;
  mainPid: number | undefined;
  isEnabled: boolean;
  /** What its start does; it comes up when not given. */
  readonly start?: 'fails' | 'hangs';
}

interface Said {
  readonly code: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

/** A host whose services are a table in memory, with the exit codes of LSB. */
export class MemoryProvider implements Provider {
  readonly services = new Map<string, MemoryService>();
  #lastPid = 0;

  add(name: string, start?: MemoryService['start']): MemoryService {
    const service: MemoryService = {
      ...{ state: 'stopped', mainPid: undefined, isEnabled: false },
      ...(start === undefined ? {} : { start }),
    };
    this.services.set(name, service);
    return service;
  }

  /** Has the service die by itself. */
  kill(name: string): void {
    const service = this.services.get(name);
    if (service?.state === 'running') Object.assign(service, { state: 'failed', mainPid: undefined });
  }

  async run(service: ServiceName, action: ActionName, limits: ActionLimits): Promise<ProviderResult> {
    const hangs = action === 'start' && this.services.get(service)?.start === 'hangs';
    if (hangs) await new Promise((resolve) => setTimeout(resolve, limits.timeoutMs));
    const { code, stdout = '', stderr = '' } = hangs ? { code: -15 } : this.say(service, action);
    if (action !== 'list' && stdout + stderr !== '') limits.onOutput?.(stdout + stderr, 'stdout');
    const isUnknown = action !== 'list' && !this.services.has(service);
    return {
      ...{ exitCode: code, timedOut: hangs, aborted: false, durationMs: 0 },
      ...{ stdout: captured(stdout), stderr: captured(stderr), provider: 'memory' },
      state: isUnknown ? 'not-found' : action === 'status' ? this.#stateOf(service) : 'unknown',
      ...(action === 'list' ? { services: this.#list() } : {}),
    };
  }

  async inspect(service: ServiceName): Promise<Inspection> {
    return { state: this.#stateOf(service), mainPid: this.services.get(service)?.mainPid };
  }

  /** Carries the action out, and words it. */
  say(name: string, action: string): Said {
    if (action === 'list')
      return { code: 0, stdout: [...this.services.keys()].map((each) => `${each}\n`).join('') };
    const service = this.services.get(name);
    if (service === undefined) return { code: 4, stderr: `${name}: not known\n` };
    switch (action) {
      case 'start':
        return service.start === 'fails' ? { code: 1, stderr: 'failed\n' } : this.#start(service);
      case 'stop':
        return this.#stop(service);
      case 'restart':
        this.#stop(service);
        return this.#start(service);
      case 'status':
        return {
          code: { running: 0, failed: 1, stopped: 3 }[service.state],
          stdout: `${name}: ${service.state}\n`,
        };
      case 'enable':
      case 'disable':
        service.isEnabled = action === 'enable';
        return { code: 0 };
      default:
        return { code: 3, stderr: `${name}: no such action\n` };
    }
  }

  #start(service: MemoryService): Said {
    if (service.state !== 'running') {
      this.#lastPid += 1;
      Object.assign(service, { state: 'running', mainPid: this.#lastPid });
    }
    return { code: 0 };
  }

  #stop(service: MemoryService): Said {
    Object.assign(service, { state: 'stopped', mainPid: undefined });
    return { code: 0 };
  }

  #stateOf(name: string): State {
    return this.services.get(name)?.state ?? 'not-found';
  }

  #list() {
    return Array.from(this.services, ([service, { state }]) => ({ service, state })).sort((one, other) =>
      one.service < other.service ? -1 : 1,
    );
  }
}

function captured(text: string): CapturedOutput {
  return { text, cutBytes: 0 };
}
