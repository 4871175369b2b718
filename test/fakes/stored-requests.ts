import type { StoredEntry } from '../../src/core/ledger-events.ts';
import type { StoredMember } from '../../src/core/roster.ts';
import type {
  RequestFilter,
  RequestOverview,
  Store,
  StoredAnswer,
  StoredRequest,
} from '../../src/store/store.ts';
import type { NodeName, RequestId } from '../../src/wire/fields.ts';
import type { BootId } from '../../src/wire/presence.ts';

export function idOf(number: number): RequestId {
  return number.toString(16).padStart(32, '0') as RequestId;
}

/** Opened at `number` thousand milliseconds since 1970. */
export function storedRequest(number: number, change: Partial<StoredRequest> = {}): StoredRequest {
  const openedWallMs = number * 1_000;
  return {
    id: idOf(number),
    form: 'v2',
    bodyBytes: Buffer.from(`{"number":${number}}`),
    signature: `signature ${number}`,
    action: 'restart',
    topic: 'any',
    service: 'nginx',
    openedWallMs,
    endsWallMs: openedWallMs + 500,
    endedWallMs: undefined,
    isCancelled: false,
    anonymous: 0,
    withheld: 0,
    ...change,
  };
}

export function storedEntry(node: string, change: Partial<StoredEntry> = {}): StoredEntry {
  return { node: node as NodeName, phase: 'asked', outcome: undefined, isAnonymous: false, ...change };
}

export function storedAnswer(
  number: number,
  node: string,
  change: Partial<StoredAnswer> = {},
): StoredAnswer & { readonly id: RequestId } {
  return {
    ...storedEntry(node, { phase: 'done', outcome: 'ok' }),
    id: idOf(number),
    payload: Buffer.from(`${node} is fine`),
    atWallMs: number * 1_000 + 100,
    ...change,
  };
}

export function storedMember(node: string, change: Partial<StoredMember> = {}): StoredMember {
  return {
    node: node as NodeName,
    facts: {
      node: node as NodeName,
      boot: 'b'.repeat(32) as BootId,
      system: 'Linux',
      release: '6.1.0',
      version: '#1 SMP',
      machine: 'x86_64',
      roles: ['web'],
      topics: [],
      agentVersion: '1.0.0',
      startedAtMs: 1,
    },
    presence: 'alive',
    sinceWallMs: 1_000,
    lastSeenWallMs: 2_000,
    ...change,
  };
}

/** All that the store visits. */
export function listed(store: Store, filter: RequestFilter): RequestOverview[] {
  const overviews: RequestOverview[] = [];
  store.visit(filter, (overview) => overviews.push(overview));
  return overviews;
}
