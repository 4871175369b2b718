import type { Bundle } from '../../src/provider/bundle.ts';
import { Bundles } from '../../src/provider/bundles.ts';
import type { ActionLimits, ProviderResult } from '../../src/provider/provider.ts';
import type { MemberResult } from '../../src/wire/result.ts';
import { ManualClock } from './manual-clock.ts';
import { actionOf, ScriptedHost, type ScriptedService, serviceOf } from './scripted-host.ts';

export interface BenchOptions extends Partial<Omit<Bundle, 'services' | 'timeoutsMs'>> {
  readonly timeoutsMs?: Readonly<Record<string, number>>;
  readonly outputLimitBytes?: number;
}

/** A host with `bundle:web`, of all its services in their order. */
export class BundleBench {
  readonly clock = new ManualClock();
  readonly host: ScriptedHost;
  readonly bundles: Bundles;

  constructor(services: Readonly<Record<string, ScriptedService>>, options: BenchOptions = {}) {
    this.host = new ScriptedHost(this.clock, services);
    const bundle = {
      services: Object.keys(services).map(serviceOf),
      stopOnError: options.stopOnError,
      timeoutMs: options.timeoutMs,
      timeoutsMs: new Map(Object.entries(options.timeoutsMs ?? {})),
    };
    this.bundles = new Bundles({
      ...{ provider: this.host, clock: this.clock, bundles: new Map([['web', bundle]]) },
      outputLimitBytes: options.outputLimitBytes ?? 1_000,
    });
  }

  run(action: string, limits: Partial<ActionLimits> = {}, service = 'bundle:web'): Promise<ProviderResult> {
    return this.bundles.run(serviceOf(service), actionOf(action), { timeoutMs: 60_000, ...limits });
  }

  /** What ran since the last time. */
  ran(): string[] {
    return this.host.runs.splice(0);
  }

  state(service: string) {
    return this.host.services.get(service)?.state;
  }
}

/** `db ok`, `app failed`, `db stop ok (roll-back)`. */
export function shown({ members = [] }: ProviderResult): string[] {
  return members.map(shownMember);
}

function shownMember({ service, action, outcome, isRollback }: MemberResult): string {
  return isRollback === true ? `${service} ${action} ${outcome} (roll-back)` : `${service} ${outcome}`;
}
