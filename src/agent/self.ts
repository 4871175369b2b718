import type { HostFacts } from '../platform/host.ts';
import type { NodeName, Topic } from '../wire/fields.ts';
import type { BootId, Hello } from '../wire/presence.ts';
import { helloOf } from './hello.ts';
import { topicsOf } from './topics.ts';

export interface SelfOptions {
  readonly node: NodeName;
  readonly host: HostFacts;
  readonly boot: BootId;
  readonly roles: readonly string[];
  readonly topics: readonly Topic[];
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
}

/** What the agent is to others: its name, and all topics that it answers to. */
export class Self {
  readonly node: NodeName;
  readonly #options: SelfOptions;
  #roles: readonly string[];
  #topics: ReadonlySet<Topic>;

  constructor(options: SelfOptions) {
    this.node = options.node;
    this.#options = options;
    this.#roles = options.roles;
    this.#topics = topicsOf(options);
  }

  get topics(): ReadonlySet<Topic> {
    return this.#topics;
  }

  /** True when others have to be told. */
  change(wanted: Pick<SelfOptions, 'roles' | 'topics'>): boolean {
    const { roles } = wanted;
    const topics = topicsOf({ ...this.#options, ...wanted });
    // The same topic may come from a role or stand for itself.
    if (isSame(topics, this.#topics) && isSame(new Set(roles), new Set(this.#roles))) return false;
    this.#roles = roles;
    this.#topics = topics;
    return true;
  }

  hello(): Hello {
    const { host, boot, startedAtMs, node } = this.#options;
    const [roles, topics] = [[...this.#roles], [...this.#topics]];
    return helloOf(host, { node, boot, roles, topics, startedAtMs });
  }
}

function isSame<Item>(one: ReadonlySet<Item>, other: ReadonlySet<Item>): boolean {
  return one.size === other.size && [...one].every((item) => other.has(item));
}
