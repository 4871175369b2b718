const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** How long, in its largest unit that says something: `3 min`. Days begin at two, because `26 h` tells more than `1 d`. */
export function span(ms: number): string {
  if (ms < minuteMs) return `${Math.max(0, Math.floor(ms / secondMs))} s`;
  if (ms < hourMs) return `${Math.floor(ms / minuteMs)} min`;
  return ms < 2 * dayMs ? `${Math.floor(ms / hourMs)} h` : `${Math.floor(ms / dayMs)} d`;
}

export function ago(ms: number): string {
  return `${span(ms)} ago`;
}

/** A time as RFC 3339 writes it, in UTC. Null for what no calendar has, which a clock that runs wild may send. */
export function rfc3339(wallMs: number): string | null {
  const date = new Date(wallMs);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

/** A moment, once it is known when now is; all in milliseconds since 1970. */
export type Moment = (nowWallMs: number) => number;

const unitsMs: Readonly<Record<string, number>> = {
  s: secondMs,
  m: minuteMs,
  h: hourMs,
  d: dayMs,
  w: 7 * dayMs,
};
const written = /^\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d))?$/;

/** How a moment in the past is written on the command line. */
export const momentFormat = {
  expected: 'a time back from now such as 90s, 30m, 1h, 2d or 1w, or a moment such as 2026-01-31T08:00:00Z',
  parse(text: string): Moment | undefined {
    const [, number, unit = ''] = /^(\d{1,6})([smhdw])$/.exec(text) ?? [];
    const unitMs = unitsMs[unit];
    if (unitMs !== undefined) return (nowWallMs) => nowWallMs - Number(number) * unitMs;
    const wallMs = written.test(text) ? Date.parse(text.toUpperCase().replace(' ', 'T')) : Number.NaN;
    return Number.isNaN(wallMs) ? undefined : () => wallMs;
  },
};
