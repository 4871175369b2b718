/** How far apart the clocks of two hosts may be, in milliseconds, before something is refused because of it. */
export const allowedSkewMs = 30_000;

/** A request is good until its time, by the clock of whoever made it: a clock that goes ahead by 30 s must not lose it. */
export function isPast(notAfterMs: number, nowMs: number): boolean {
  return nowMs - notAfterMs > allowedSkewMs;
}

/** The longest time for which a request may be good: a signature for ever would have to be remembered for ever. */
export const longestLifeMs = 86_400_000;

export function isTooFarAhead(notAfterMs: number, nowMs: number): boolean {
  return notAfterMs - nowMs > longestLifeMs + allowedSkewMs;
}

/**
 * Until when the id of a request must be remembered so that no copy of it runs, in milliseconds since 1970: until it is
 * past by our own clock, and as long again in case that clock is set back meanwhile.
 */
export function rememberUntilMs(notAfterMs: number): number {
  return notAfterMs + 2 * allowedSkewMs;
}

/** One message whose time is proven, because it is under the MAC or the signature. Milliseconds since 1970. */
export interface TimedMessage {
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
}

/**
 * By how much the other clock is ahead of ours, in milliseconds; negative: behind. The way takes its time, which makes the
 * other clock look behind by as much, so of several messages the one that came quickest says it best. Undefined: of none.
 */
export function clockOffsetMs(messages: Iterable<TimedMessage>): number | undefined {
  let best: number | undefined;
  for (const { sentAtMs, receivedAtMs } of messages)
    best = Math.max(best ?? -Infinity, sentAtMs - receivedAtMs);
  return best;
}

/** What to say of a clock that is too far off; undefined while it is not. */
export function skewReport(host: string, offsetMs: number): string | undefined {
  if (Math.abs(offsetMs) <= allowedSkewMs) return undefined;
  const direction = offsetMs > 0 ? 'ahead of' : 'behind';
  const seconds = (Math.abs(offsetMs) / 1_000).toFixed(1);
  return `the clock of ${host} is ${seconds} s ${direction} ours, and ${allowedSkewMs / 1_000} s are allowed: check its time service`;
}
