import type { HostFacts } from '../platform/host.ts';
import type { Topic } from '../wire/fields.ts';

export interface TopicSources {
  readonly node: string;
  readonly host: HostFacts;
  readonly roles: readonly string[];
  readonly topics: readonly string[];
}

/** Every topic this agent answers to, each once. A topic is matched whole. */
export function topicsOf({ node, host, roles, topics }: TopicSources): ReadonlySet<Topic> {
  const { NAME, ID, VERSION_ID } = host.osRelease;
  const named = [
    'any',
    host.system,
    node,
    NAME,
    ID && `os:${ID}`,
    ID && VERSION_ID && `os:${ID}-${VERSION_ID}`,
    `arch:${host.machine}`,
    ...roles.map((role) => `role:${role}`),
    ...topics,
  ];
  return new Set(named.filter((topic) => topic !== undefined && topic !== '') as Topic[]);
}
