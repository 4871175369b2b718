import type { StoredEntry } from '../../src/core/ledger-events.ts';
import type { RolloutProgress, RolloutState } from '../../src/core/rollout.ts';
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

export function stateOf({ batch, endsAtMs, resumesAtMs, stop }: RolloutState): string {
  const until = endsAtMs === undefined ? '' : `, at work until ${secondsOf(endsAtMs)}`;
  const pause = resumesAtMs === undefined ? '' : `, pause until ${secondsOf(resumesAtMs)}`;
  const stops = stop === undefined ? '' : `, stops: ${stop.text} (${stop.reason})`;
  return `batch ${batch}${until}${pause}${stops}`;
}

export function progressOf(progress: RolloutProgress): string[] {
  const { batch, batches, started, isPausing, untilMs, counts, stop } = progress;
  const until =
    untilMs === undefined ? '' : `, ${isPausing ? 'pause' : 'at work'} until ${secondsOf(untilMs)}`;
  const stops = stop === undefined ? [] : [stop.text];
  const each = Object.entries(counts).map(([kind, count]) => `${count} ${kind}`);
  return [`batch ${batch} of ${batches}, ${started} started${until}`, each.join(', '), ...stops];
}

function secondsOf(timeMs: number): string {
  return `${(timeMs / 1_000).toFixed(1)} s`;
}

export function millisecondsOf(time: string): number {
  const [, digits] = /^(\d+(?:\.\d)?)s$/.exec(time) ?? [];
  if (digits === undefined) throw new Error(`expected a time like 2.5s, got ${time}`);
  return Math.round(Number(digits) * 1_000);
}
