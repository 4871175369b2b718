import type { Clock } from '../platform/clock.ts';
import type { ActionName, ServiceName, State } from '../wire/fields.ts';
import { type Bundle, isBundleName, titleOf } from './bundle.ts';
import { bundleResult, unknownBundle, worstOf } from './bundle-result.ts';
import { BundleRun } from './bundle-run.ts';
import { BundleTurns } from './bundle-turns.ts';
import {
  type ActionLimits,
  type Inspection,
  type Provider,
  type ProviderResult,
  type ReadLimits,
  readLimits,
} from './provider.ts';
import { TimeLeft } from './time-left.ts';

export interface BundlesOptions {
  /** For the members, and for everything that is no bundle. */
  readonly provider: Provider;
  readonly clock: Clock;
  /** By their names, without `bundle:`. */
  readonly bundles: ReadonlyMap<string, Bundle>;
  /** Of each stream, of all members together. */
  readonly outputLimitBytes: number;
}

/** Makes `bundle:NAME` a service. */
export class Bundles implements Provider {
  readonly #provider: Provider;
  readonly #clock: Clock;
  readonly #outputLimitBytes: number;
  #bundles: ReadonlyMap<string, Bundle>;

  constructor({ provider, clock, bundles, outputLimitBytes }: BundlesOptions) {
    this.#provider = provider;
    this.#clock = clock;
    this.#bundles = bundles;
    this.#outputLimitBytes = outputLimitBytes;
  }

  /** From the next action on; one that runs keeps to the members that it began with. */
  replace(bundles: ReadonlyMap<string, Bundle>): void {
    this.#bundles = bundles;
  }

  namesOf(service: ServiceName): readonly ServiceName[] {
    if (!isBundleName(service)) return this.#namesOf(service);
    const members = this.#bundles.get(titleOf(service))?.services ?? [];
    return [...new Set([service, ...members.flatMap((member) => this.#namesOf(member))])];
  }

  async run(service: ServiceName, action: ActionName, limits: ActionLimits): Promise<ProviderResult> {
    // A list is of all services: its name says nothing.
    if (!isBundleName(service) || action === 'list') return this.#provider.run(service, action, limits);
    const title = titleOf(service);
    const bundle = this.#bundles.get(title);
    if (bundle === undefined) return unknownBundle(title, [...this.#bundles.keys()]);
    const turns = new BundleTurns({
      ...{ provider: this.#provider, clock: this.#clock, outputLimitBytes: this.#outputLimitBytes },
      ...{ bundle, action, limits },
    });
    const members = await new BundleRun(bundle, action, turns).members();
    return bundleResult(action, members, turns.whole);
  }

  async inspect(service: ServiceName, limits: ReadLimits): Promise<Inspection> {
    if (!isBundleName(service)) return this.#provider.inspect(service, limits);
    const bundle = this.#bundles.get(titleOf(service));
    if (bundle === undefined) return { state: 'not-found', mainPid: undefined };
    const left = new TimeLeft(this.#clock, limits.timeoutMs);
    const states: State[] = [];
    for (const member of bundle.services) {
      if (left.ms === 0) states.push('unknown');
      else states.push((await this.#provider.inspect(member, readLimits(left.ms, limits.signal))).state);
    }
    return { state: worstOf(states), mainPid: undefined };
  }

  #namesOf(service: ServiceName): readonly ServiceName[] {
    return this.#provider.namesOf?.(service) ?? [service];
  }
}
