import type { State } from '../wire/fields.ts';

/** What an action that said it went well should have made of the service. */
export interface Expectation {
  /** `stopped` is also a service that is `failed` or `not-found`: that it does not run is what was asked for. */
  readonly wants: 'running' | 'stopped';
  /** It must be another main process than before. */
  readonly isNewProcess: boolean;
}

const running = { wants: 'running', isNewProcess: false } as const;
const restarted = { wants: 'running', isNewProcess: true } as const;
const stopped = { wants: 'stopped', isNewProcess: false } as const;

type Rule = (before: State) => Expectation | undefined;

/** LSB 5.0, "Init Script Actions"; condrestart is the older name of try-restart. Other actions are not looked at. */
const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['start', () => running],
  ['restart', () => restarted],
  ['reload', () => running],
  ['force-reload', () => running],
  ['stop', () => stopped],
  ['try-restart', asBefore],
  ['condrestart', asBefore],
]);

/** What ran is restarted; what did not stays as it is; of what cannot be told nothing can be expected. */
function asBefore(before: State): Expectation | undefined {
  if (before === 'unknown') return undefined;
  return before === 'running' ? restarted : stopped;
}

export function isLookedAt(action: string): boolean {
  return rules.has(action);
}

export function expectationOf(action: string, before: State): Expectation | undefined {
  return rules.get(action)?.(before);
}
