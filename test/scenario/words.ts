import type { StoredEntry } from '../../src/core/ledger.ts';
import { message } from '../../src/wire/codec.ts';
import { NodeName } from '../../src/wire/fields.ts';
import { BootId } from '../../src/wire/presence.ts';

/** `web1/a` is run a of the agent of web1. */
export function partsOf(agent: string): [NodeName, BootId] {
  const [name, letter = ''] = agent.split('/');
  return [message('node', 300, NodeName).parse(name), message('boot', 64, BootId).parse(letter.repeat(32))];
}

export function lettersOf(boots: readonly BootId[]): string {
  return boots.map((boot) => boot.slice(0, 1)).join(' and ');
}

export function wordsOf({ node, phase, outcome, isAnonymous }: StoredEntry): string {
  return `${node} ${phase} ${outcome ?? '-'}${isAnonymous ? ' (v1)' : ''}`;
}

export function millisecondsOf(time: string): number {
  const [, digits] = /^(\d+(?:\.\d)?)s$/.exec(time) ?? [];
  if (digits === undefined) throw new Error(`expected a time like 2.5s, got ${time}`);
  return Math.round(Number(digits) * 1_000);
}
