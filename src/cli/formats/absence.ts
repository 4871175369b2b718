import type { Absence } from '../../wire/reply.ts';
import { ago, span } from '../times.ts';

/** Since when nodes are not there: `last seen 3 min ago`, of several `left 2 to 5 h ago`. Empty of none. */
export function absenceText(absences: readonly Absence[]): string {
  const times = absences.map(({ lastSeenAgoMs }) => lastSeenAgoMs);
  if (times.length === 0) return '';
  const newest = times.reduce((least, time) => Math.min(least, time));
  const oldest = times.reduce((most, time) => Math.max(most, time));
  const verb = absences.every(({ hasLeft }) => hasLeft === true) ? 'left' : 'last seen';
  return `${verb} ${range(newest, oldest)}`;
}

function range(newestMs: number, oldestMs: number): string {
  const [from = '', unit] = span(newestMs).split(' ');
  const [until, untilUnit] = span(oldestMs).split(' ');
  if (span(newestMs) === span(oldestMs)) return ago(oldestMs);
  return `${unit === untilUnit ? from : `${from} ${unit}`} to ${until} ${untilUnit} ago`;
}
