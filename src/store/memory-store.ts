import type { StoredEntry } from '../core/ledger-events.ts';
import type { StoredMember } from '../core/roster.ts';
import type { Fingerprint } from '../security/fingerprint.ts';
import type { TokenEntry } from '../security/join-tokens.ts';
import type { KeyEntry } from '../security/key-index.ts';
import { rememberUntilMs } from '../security/skew.ts';
import type { NodeName, RequestId } from '../wire/fields.ts';
import type { KeyStore } from './key-store.ts';
import { MemoryKeys } from './memory-keys.ts';
import type {
  HistoryBounds,
  RequestFilter,
  RequestOverview,
  Store,
  StoredAnswer,
  StoredRequest,
} from './store.ts';

interface Kept {
  request: StoredRequest;
  readonly answers: Map<NodeName, StoredAnswer>;
}

/** The store without a file: it forgets all when its process ends. */
export class MemoryStore implements Store, KeyStore {
  /** In the order in which they came. */
  readonly #requests = new Map<RequestId, Kept>();
  readonly #members = new Map<NodeName, StoredMember>();
  readonly #settings = new Map<string, string>();
  /** Ids of deleted requests, and until when they must be remembered. */
  readonly #spent = new Map<RequestId, number>();
  readonly #keys = new MemoryKeys();

  openRequest(request: StoredRequest, entries: readonly StoredEntry[]): void {
    if (this.#requests.has(request.id)) return;
    this.#requests.set(request.id, { request: { ...request }, answers: new Map() });
    const { id, openedWallMs } = request;
    this.saveAnswers(entries.map((entry) => ({ ...entry, id, payload: undefined, atWallMs: openedWallMs })));
  }

  saveAnswers(answers: Parameters<Store['saveAnswers']>[0]): void {
    for (const { id, node, phase, outcome, isAnonymous, payload, atWallMs } of answers) {
      const known = this.#requests.get(id)?.answers.get(node);
      const answer =
        payload === undefined && known?.payload !== undefined
          ? { payload: known.payload, atWallMs: known.atWallMs }
          : { payload, atWallMs };
      this.#requests.get(id)?.answers.set(node, { node, phase, outcome, isAnonymous, ...answer });
    }
  }

  updateRequest(id: RequestId, change: Parameters<Store['updateRequest']>[1]): void {
    const kept = this.#requests.get(id);
    if (kept !== undefined) kept.request = { ...kept.request, ...change };
  }

  request(id: RequestId): StoredRequest | undefined {
    return this.#requests.get(id)?.request;
  }

  answers(
    id: RequestId,
    { afterNode = '', limit, maxBytes }: Parameters<Store['answers']>[1],
  ): StoredAnswer[] {
    const answers = this.#byNode(id).filter(({ node }) => compareBytes(node, afterNode) > 0);
    let bytes = 0;
    const end = answers.findIndex(({ payload }, index) => {
      bytes += payload?.byteLength ?? 0;
      return index >= limit || (index > 0 && bytes > maxBytes);
    });
    return end < 0 ? answers : answers.slice(0, end);
  }

  entries(id: RequestId): StoredEntry[] {
    return this.#byNode(id).map(({ node, phase, outcome, isAnonymous }) => ({
      node,
      phase,
      outcome,
      isAnonymous,
    }));
  }

  visit(
    { sinceWallMs = -Infinity, node, service, outcome, limit }: RequestFilter,
    visitor: (overview: RequestOverview) => void,
  ): void {
    let found = 0;
    for (const { request, answers } of this.#sorted('openedWallMs').reverse()) {
      if (found >= limit) break;
      const counts = countsOf(answers.values());
      const isMeant =
        request.openedWallMs >= sinceWallMs &&
        (node === undefined || answers.has(node as NodeName)) &&
        (service === undefined || request.service === service) &&
        (outcome === undefined || counts[outcome] !== undefined);
      if (!isMeant) continue;
      found += 1;
      visitor({ ...request, counts });
    }
  }

  unfinished(endedSinceWallMs: number): StoredRequest[] {
    return this.#sorted('openedWallMs')
      .map(({ request }) => request)
      .filter(({ endedWallMs }) => endedWallMs === undefined || endedWallMs >= endedSinceWallMs);
  }

  saveMember({ node, facts, presence, sinceWallMs, lastSeenWallMs }: StoredMember): void {
    this.#members.set(node, { node, facts, presence, sinceWallMs, lastSeenWallMs });
  }

  saveLastSeen(members: readonly Pick<StoredMember, 'node' | 'lastSeenWallMs'>[]): void {
    for (const { node, lastSeenWallMs } of members) {
      const known = this.#members.get(node);
      if (known !== undefined) this.#members.set(node, { ...known, lastSeenWallMs });
    }
  }

  members(): StoredMember[] {
    return [...this.#members.values()].sort((one, other) => compareBytes(one.node, other.node));
  }

  forgetMember(node: NodeName): void {
    this.#members.delete(node);
  }

  getSetting(name: string): string | undefined {
    return this.#settings.get(name);
  }

  setSetting(name: string, value: string): void {
    this.#settings.set(name, value);
  }

  prune({ maxAgeMs, maxRequests, maxBytes }: HistoryBounds, nowWallMs: number, maxDeletions: number): number {
    let deletions = 0;
    let bytes = 0;
    this.#forgetSpent(nowWallMs, maxDeletions);
    for (const kept of this.#requests.values()) bytes += bytesOf(kept);
    for (const kept of this.#sorted('endedWallMs')) {
      const { id, endedWallMs } = kept.request;
      if (deletions >= maxDeletions) break;
      if (endedWallMs === undefined) continue;
      const isTooOld = endedWallMs < nowWallMs - maxAgeMs;
      if (!isTooOld && this.#requests.size <= maxRequests && bytes <= maxBytes) break;
      this.#requests.delete(id);
      this.#remember(kept.request, nowWallMs);
      bytes -= bytesOf(kept);
      deletions += 1;
    }
    return deletions;
  }

  isSpent(id: RequestId, nowWallMs: number): boolean {
    return (this.#spent.get(id) ?? -Infinity) > nowWallMs;
  }

  keys(): KeyEntry[] {
    return this.#keys.keys();
  }

  saveKey(entry: KeyEntry): void {
    this.#keys.saveKey(entry);
  }

  removeKey(fingerprint: Fingerprint): void {
    this.#keys.removeKey(fingerprint);
  }

  tokens(): TokenEntry[] {
    return this.#keys.tokens();
  }

  saveToken(entry: TokenEntry): void {
    this.#keys.saveToken(entry);
  }

  removeToken(id: string): void {
    this.#keys.removeToken(id);
  }

  close(): void {}

  #remember({ id, notAfterWallMs = -Infinity }: StoredRequest, nowWallMs: number): void {
    const untilMs = rememberUntilMs(notAfterWallMs);
    if (untilMs > nowWallMs) this.#spent.set(id, Math.max(untilMs, this.#spent.get(id) ?? untilMs));
  }

  #forgetSpent(nowWallMs: number, most: number): void {
    const past = [...this.#spent].filter(([, untilMs]) => untilMs <= nowWallMs);
    const oldestFirst = past.sort(([, one], [, other]) => one - other);
    for (const [id] of oldestFirst.slice(0, most)) this.#spent.delete(id);
  }

  /** What has no such time comes first. */
  #sorted(time: 'openedWallMs' | 'endedWallMs'): Kept[] {
    const timeOf = ({ request }: Kept): number => request[time] ?? -1;
    return [...this.#requests.values()].sort((one, other) => timeOf(one) - timeOf(other));
  }

  #byNode(id: RequestId): StoredAnswer[] {
    const answers = this.#requests.get(id)?.answers.values() ?? [];
    return [...answers].sort((one, other) => compareBytes(one.node, other.node));
  }
}

/** As databases do; JavaScript itself compares halves of characters. */
function compareBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

function bytesOf({ request, answers }: Kept): number {
  const { bodyBytes, rollout = '', cancelled } = request;
  let bytes = bodyBytes.byteLength + Buffer.byteLength(rollout) + (cancelled?.bytes.byteLength ?? 0);
  for (const { payload } of answers.values()) bytes += payload?.byteLength ?? 0;
  return bytes;
}

function countsOf(answers: Iterable<StoredAnswer>): RequestOverview['counts'] {
  const counts: RequestOverview['counts'] = {};
  for (const { outcome } of answers) if (outcome !== undefined) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}
