import type { KnownNodes } from '../../../src/core/target-nodes.ts';
import { message } from '../../../src/wire/codec.ts';
import { NodeName, Topic } from '../../../src/wire/fields.ts';

export const node = message('node', 300, NodeName).parse;
export const topic = message('topic', 1_024, Topic).parse;

/** Nodes by name with their topics; `strangers` are topics of agents that do not say who they are. */
export function knownNodes(
  topicsByNode: Readonly<Record<string, readonly string[]>>,
  strangers: readonly string[] = [],
): KnownNodes {
  const byName = new Map<string, { readonly node: NodeName }>();
  const byTopic = new Map<string, Array<{ readonly node: NodeName }>>();
  for (const [name, topics] of Object.entries(topicsByNode)) {
    const member = { node: node(name) };
    byName.set(name, member);
    for (const each of topics) {
      const members = byTopic.get(each);
      if (members === undefined) byTopic.set(each, [member]);
      else members.push(member);
    }
  }
  return {
    all: () => byName.values(),
    get: (name) => byName.get(name),
    onTopic: (text) => byTopic.get(text) ?? [],
    isTopic: (text): text is Topic => byTopic.has(text) || strangers.includes(text),
  };
}

const everywhere = ['any', 'Linux', 'Debian GNU/Linux', 'os:debian'];

/** Four web servers, of which web10 is one, and two databases; every agent has its name as a topic. */
export const fleet = {
  web1: [...everywhere, 'web1', 'role:web', 'arch:x86_64', 'rack 7'],
  web2: [...everywhere, 'web2', 'role:web', 'arch:aarch64'],
  web3: [...everywhere, 'web3', 'role:web', 'arch:aarch64'],
  web10: [...everywhere, 'web10', 'role:web', 'arch:x86_64'],
  db1: [...everywhere, 'db1', 'role:db', 'arch:x86_64', 'rack 7'],
  db2: ['any', 'FreeBSD', 'db2', 'role:db', 'arch:x86_64'],
} as const;
