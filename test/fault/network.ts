import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { onCleanUp } from '../e2e/harness/processes.ts';

/** Which packets are dropped. */
export type Direction = 'both' | 'to the agent' | 'to the manager';

/** A network namespace with one cable to another one, and nothing else. */
export interface Side {
  readonly address: string;
  /** For `within`: makes a program part of this side. */
  readonly enter: readonly string[];
}

export interface Network {
  readonly manager: Side;
  readonly agent: Side;
  /** Drops packets without a word to anybody, as a dead switch does. */
  cut(direction: Direction): void;
  heal(): void;
}

const prefix = 'smfault';
const removals = new Set<() => void>();
let networkCount = 0;

process.once('exit', () => {
  for (const remove of removals) remove();
});

/** Two hosts and a cable, seen by nobody else; `cleanUp()` takes them away. Needs root. */
export function makeNetwork(): Network {
  removeLeftOvers();
  networkCount += 1;
  const name = (side: string) => `${prefix}-${process.pid}-${networkCount}-${side}`;
  const [manager, agent] = [name('m'), name('a')];
  const remove = () => {
    removals.delete(remove);
    for (const namespace of [manager, agent]) removeNamespace(namespace);
  };
  removals.add(remove);
  onCleanUp(remove);
  for (const namespace of [manager, agent]) {
    ip('netns', 'add', namespace);
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
  }
  ip('link', 'add', 'cable', 'netns', manager, 'type', 'veth', 'peer', 'name', 'cable', 'netns', agent);
  const addresses = { manager: '10.77.0.1', agent: '10.77.0.2' };
  for (const [namespace, address] of [
    [manager, addresses.manager],
    [agent, addresses.agent],
  ] as const) {
    ip('-n', namespace, 'address', 'add', `${address}/24`, 'dev', 'cable');
    ip('-n', namespace, 'link', 'set', 'cable', 'up');
  }
  return {
    manager: { address: addresses.manager, enter: enter(manager) },
    agent: { address: addresses.agent, enter: enter(agent) },
    cut: (direction) => nft(agent, rulesOf(direction)),
    heal: () => nft(agent, 'delete table inet fault'),
  };
}

/** By the names of files, so that no process stands between ours and the program. */
function enter(namespace: string): string[] {
  return ['nsenter', `--net=/run/netns/${namespace}`];
}

/** On the side of the agent. */
function rulesOf(direction: Direction): string {
  const chain = (hook: string, match: string) =>
    `chain ${hook} { type filter hook ${hook} priority 0; policy accept; ${match} "cable" drop; }`;
  const input = direction === 'to the manager' ? '' : chain('input', 'iifname');
  const output = direction === 'to the agent' ? '' : chain('output', 'oifname');
  return `table inet fault {\n${input}\n${output}\n}`;
}

function nft(namespace: string, rules: string): void {
  execFileSync('ip', ['netns', 'exec', namespace, 'nft', '-f', '-'], { input: rules });
}

/** Of test runs that were killed. */
function removeLeftOvers(): void {
  for (const [namespace, pid] of ip('netns', 'list').matchAll(
    new RegExp(`${prefix}-(\\d+)-\\d+-[ma]`, 'g'),
  )) {
    if (!existsSync(`/proc/${pid}`)) removeNamespace(namespace);
  }
}

function removeNamespace(namespace: string): void {
  if (existsSync(`/run/netns/${namespace}`)) ip('netns', 'delete', namespace);
}

function ip(...args: readonly string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8' });
}
