import type { RolloutInfo } from '../../client/index.ts';
import type { FullDocument } from '../../wire/full.ts';
import type { Absence } from '../../wire/reply.ts';
import { absenceOf, answersInOrder, countsOf, outcomesInOrder, type Report } from '../report.ts';
import { rfc3339 } from '../times.ts';
import { printableJson } from './printable.ts';

/** All that is known, as one JSON document: docs/full-format.schema.json says what it holds. */
export function formatFull(report: Report): string {
  return `${printableJson(JSON.stringify(documentOf(report), null, 4))}\n`;
}

function documentOf(report: Report): FullDocument {
  const { summary, exitCode } = report;
  const { unnamed, withheld } = summary;
  return {
    request: requestOf(report),
    results: answersInOrder(report),
    outcomes: outcomesInOrder(report).map(({ node, outcome }) => ({
      node,
      outcome,
      ...absenceFields(absenceOf(report, { node, outcome })),
    })),
    unnamed,
    withheld,
    counts: Object.fromEntries(countsOf(summary)),
    exitCode,
  };
}

function requestOf({ facts, summary }: Report): FullDocument['request'] {
  const { id, action, topic, service, nodes, openedMs, endedMs } = facts;
  const { isOver, isCancelled, isAimKnown, rollout } = summary;
  const opened = openedMs === undefined ? null : rfc3339(openedMs);
  const ended = endedMs === undefined ? null : rfc3339(endedMs);
  return {
    id,
    action,
    topic,
    service,
    ...(nodes === undefined ? {} : { nodes: [...nodes] }),
    ...(opened === null ? {} : { opened }),
    ...(ended === null ? {} : { ended }),
    isOver,
    isCancelled,
    ...(rollout === undefined ? {} : { rollout: rolloutOf(rollout) }),
    isAimKnown,
  };
}

function rolloutOf({
  batch,
  batches,
  started,
  stopped,
}: RolloutInfo): NonNullable<FullDocument['request']['rollout']> {
  return { batch, batches, started, ...(stopped === undefined ? {} : { stopped }) };
}

function absenceFields(absence: Absence | undefined): { lastSeenAgoMs?: number; hasLeft?: boolean } {
  if (absence === undefined) return {};
  const { lastSeenAgoMs, hasLeft } = absence;
  return { lastSeenAgoMs, ...(hasLeft === undefined ? {} : { hasLeft }) };
}
