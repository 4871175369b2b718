import type { Clock } from '../platform/clock.ts';
import type { ActionName, ServiceName } from '../wire/fields.ts';
import { knownAliases } from './known-aliases.ts';
import {
  type ActionLimits,
  type Inspection,
  type Provider,
  type ProviderResult,
  type ReadLimits,
  readLimits,
} from './provider.ts';
import { TimeLeft } from './time-left.ts';

/** The other names of services on this host. */
export interface Aliases {
  /** What to try, in order, where the host does not know a name. It goes one way only. */
  readonly aliases: ReadonlyMap<string, readonly ServiceName[]>;
  /** Whether cron and crond and their like are known without being said. */
  readonly hasKnownAliases: boolean;
}

export interface AliasedProviderOptions extends Aliases {
  readonly provider: Provider;
  readonly clock: Clock;
}

interface Asked<T> {
  readonly answer: T;
  readonly isKnown: boolean;
}

/**
 * Tries the other names of a service where the host does not know the one that was given. It remembers nothing,
 * because packages come and go: a name that the host knows by now is always used as it was given.
 */
export class AliasedProvider implements Provider {
  readonly #provider: Provider;
  readonly #clock: Clock;
  #aliases: Aliases;

  constructor({ provider, clock, ...aliases }: AliasedProviderOptions) {
    this.#provider = provider;
    this.#clock = clock;
    this.#aliases = aliases;
  }

  /** From the next action on. */
  replace(aliases: Aliases): void {
    this.#aliases = aliases;
  }

  /** Every name that may be tried, the given one first. */
  namesOf(service: ServiceName): readonly ServiceName[] {
    const { aliases, hasKnownAliases } = this.#aliases;
    const known = hasKnownAliases ? knownAliases.find((names) => names.includes(service)) : undefined;
    return [...new Set([service, ...(aliases.get(service) ?? []), ...(known ?? [])])];
  }

  async run(service: ServiceName, action: ActionName, limits: ActionLimits): Promise<ProviderResult> {
    // A list is of all services: its name says nothing.
    if (action === 'list') return this.#provider.run(service, action, limits);
    const startedMs = this.#clock.now();
    const { name, answer } = await this.#firstKnown(service, limits, async (each, left) => {
      const result = await this.#provider.run(each, action, { ...limits, ...left });
      // Only of a name that the host does not know it is sure that nothing has been done under it.
      return { answer: result, isKnown: result.state !== 'not-found' || result.exitCode === 0 };
    });
    if (name === service) return answer;
    return { ...answer, ranAs: answer.ranAs ?? name, durationMs: this.#clock.now() - startedMs };
  }

  async inspect(service: ServiceName, limits: ReadLimits): Promise<Inspection> {
    const { answer } = await this.#firstKnown(service, limits, async (each, left) => {
      const inspection = await this.#provider.inspect(each, readLimits(left.timeoutMs, limits.signal));
      return { answer: inspection, isKnown: inspection.state !== 'not-found' };
    });
    return answer;
  }

  /** The answer for the first name that the host knows, else the one for the name that was given. */
  async #firstKnown<T>(
    service: ServiceName,
    { timeoutMs, signal }: ReadLimits,
    ask: (name: ServiceName, left: { readonly timeoutMs: number }) => Promise<Asked<T>>,
  ): Promise<{ readonly name: ServiceName; readonly answer: T }> {
    const left = new TimeLeft(this.#clock, timeoutMs);
    const { answer: first, isKnown } = await ask(service, { timeoutMs });
    if (isKnown) return { name: service, answer: first };
    for (const name of this.namesOf(service).slice(1)) {
      if (left.ms === 0 || signal?.aborted) break;
      const { answer, isKnown } = await ask(name, { timeoutMs: left.ms });
      if (isKnown) return { name, answer };
    }
    return { name: service, answer: first };
  }
}
