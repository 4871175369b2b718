import type { Cancel, Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Notify } from '../platform/notify.ts';

export interface Watched {
  /** True when its loops have done something since the last call. */
  hasProgressed(): boolean;
  /** A line on how it is. */
  summary(): string;
}

export interface WatchdogDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly notify: Notify;
}

/** Tells the service manager twice in its time that a program gets on; says nothing while it does not. */
export function watch(watched: Watched, { clock, log, notify }: WatchdogDeps): Cancel {
  const { watchdogMs } = notify;
  if (watchdogMs === undefined) return () => {};
  const beat = () => {
    if (watched.hasProgressed()) void notify.send('WATCHDOG=1', `STATUS=${watched.summary()}`);
    else log.error('daemon.stuck', { watchdogMs });
    return clock.after(watchdogMs / 2, 'watchdog', () => {
      cancel = beat();
    });
  };
  let cancel = beat();
  return () => cancel();
}
