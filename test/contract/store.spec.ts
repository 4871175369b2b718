import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { outcomes } from '../../src/core/outcome.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { SqliteStore } from '../../src/store/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { nodesOfWide } from '../../src/store/store-schema.ts';
import type { NodeName } from '../../src/wire/fields.ts';
import { DatabaseWriter } from '../fakes/database-writer.ts';
import { runOnFullDisk } from '../fakes/full-disk.ts';
import {
  idOf,
  listed,
  storedAnswer,
  storedEntry,
  storedMember,
  storedRequest,
} from '../fakes/stored-requests.ts';

const generous = { maxAgeMs: Infinity, maxRequests: Infinity, maxBytes: Infinity };
const wholePage = { limit: 1_000, maxBytes: Infinity };
const namesOf = (found: readonly { readonly node: NodeName }[]): string[] => found.map(({ node }) => node);
const numbersOf = (found: readonly { readonly id: string }[]): number[] =>
  found.map(({ id }) => Number.parseInt(id, 16));

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'service-mgr-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function openSqlite(): Promise<SqliteStore> {
  return SqliteStore.open({
    file: join(folder, 'state', 'manager.db'),
    nowWallMs: 0,
    onSetAside: (reason) => expect.fail(`set aside: ${reason}`),
  });
}

interface Implementation {
  readonly name: string;
  open(): Store | Promise<Store>;
}

const implementations: Implementation[] = [
  { name: 'MemoryStore', open: () => new MemoryStore() },
  { name: 'SqliteStore', open: openSqlite },
];

for (const { name, open } of implementations) {
  describe(`Store as ${name}`, () => {
    let store: Store;

    beforeEach(async () => {
      store = await open();
    });

    afterEach(() => {
      store.close();
    });

    /** Requests of these numbers, aimed at web1, and ended at once. */
    const addEnded = (...numbers: number[]) => {
      for (const number of numbers) {
        store.openRequest(storedRequest(number), [storedEntry('web1')]);
        store.updateRequest(idOf(number), { endedWallMs: number * 1_000 });
      }
    };

    describe('keeps requests and', () => {
      it('gives back what was opened, byte for byte', () => {
        const bodyBytes = Buffer.from([0, 255, 10, 0, 128]);
        const request = storedRequest(1, {
          bodyBytes,
          anonymous: 3,
          withheld: 2,
          form: 'v1',
          topic: 'Ä ö 😀',
        });
        store.openRequest(request, [storedEntry('web1')]);
        expect(store.request(idOf(1))).to.deep.equal(request);
        expect(store.request(idOf(2))).to.equal(undefined);
      });

      it('notes how far a rollout is, and forgets it for nothing else', () => {
        store.openRequest(storedRequest(1, { rollout: '{"batch":0}' }), []);
        expect(store.request(idOf(1))?.rollout).to.equal('{"batch":0}');
        store.updateRequest(idOf(1), { rollout: '{"batch":1}' });
        store.updateRequest(idOf(1), { isCancelled: true });
        expect(store.request(idOf(1))?.rollout).to.equal('{"batch":1}');
        expect(store.unfinished(0).map(({ rollout }) => rollout)).to.deep.equal(['{"batch":1}']);
      });

      it('knows until when it is good, who asked, and what cancelled it, byte for byte', () => {
        const cancelled = { bytes: Buffer.from([0, 255, 10]), signature: '1.SHA256:a.b' };
        const known = { notAfterWallMs: 61_000, by: 'operator alice' };
        store.openRequest(storedRequest(1, known), []);
        expect(store.request(idOf(1))).to.deep.equal(storedRequest(1, known));
        store.updateRequest(idOf(1), { isCancelled: true, cancelled });
        store.updateRequest(idOf(1), { endedWallMs: 2_000 });
        const ended = storedRequest(1, { ...known, cancelled, isCancelled: true, endedWallMs: 2_000 });
        expect(store.request(idOf(1))).to.deep.equal(ended);
        expect(store.unfinished(0)).to.deep.equal([ended]);
        expect(listed(store, { limit: 1 })).to.deep.equal([{ ...ended, counts: {} }]);
        store.openRequest(storedRequest(2, { cancelled }), []);
        expect(store.request(idOf(2))).to.deep.equal(storedRequest(2, { cancelled }));
        const empty = { bytes: Buffer.alloc(0), signature: 'x' };
        store.openRequest(storedRequest(3, { cancelled: empty }), []);
        expect(store.request(idOf(3))).to.deep.equal(storedRequest(3, { cancelled: empty }));
      });

      it('knows the nodes by name, with nothing heard of them yet', () => {
        const unreachable = storedEntry('web1', { phase: 'done', outcome: 'unreachable' });
        store.openRequest(storedRequest(1), [storedEntry('web2'), unreachable]);
        expect(store.entries(idOf(1))).to.deep.equal([unreachable, storedEntry('web2')]);
        expect(store.answers(idOf(1), wholePage)).to.deep.equal([
          { ...unreachable, payload: undefined, atWallMs: 1_000 },
          { ...storedEntry('web2'), payload: undefined, atWallMs: 1_000 },
        ]);
      });

      it('leaves a request as it is when it is opened again', () => {
        store.openRequest(storedRequest(1), [storedEntry('web1')]);
        store.saveAnswers([storedAnswer(1, 'web1')]);
        store.openRequest(storedRequest(1, { service: 'other' }), [storedEntry('web1'), storedEntry('web2')]);
        expect(store.request(idOf(1))?.service).to.equal('nginx');
        expect(namesOf(store.entries(idOf(1)))).to.deep.equal(['web1']);
        expect(store.answers(idOf(1), wholePage)[0]?.payload).to.not.equal(undefined);
      });

      it('notes a cancellation and an end, each without touching the rest', () => {
        store.openRequest(storedRequest(1), []);
        store.updateRequest(idOf(1), { isCancelled: true, endsWallMs: 1_200 });
        store.updateRequest(idOf(1), { endedWallMs: 1_300 });
        const noted = { isCancelled: true, endsWallMs: 1_200, endedWallMs: 1_300 };
        expect(store.request(idOf(1))).to.deep.equal(storedRequest(1, noted));
      });

      it('notes nothing of a request that it does not know', () => {
        store.updateRequest(idOf(1), { isCancelled: true });
        store.saveAnswers([storedAnswer(1, 'web1')]);
        expect(store.request(idOf(1))).to.equal(undefined);
        expect(store.entries(idOf(1))).to.deep.equal([]);
      });

      it('names those that are open or ended lately, first opened first', () => {
        addEnded(3, 1, 4);
        store.openRequest(storedRequest(2), []);
        expect(numbersOf(store.unfinished(3_000))).to.deep.equal([2, 3, 4]);
        expect(store.unfinished(9_999)).to.deep.equal([storedRequest(2)]);
      });
    });

    describe('keeps answers and', () => {
      beforeEach(() => {
        store.openRequest(storedRequest(1), [storedEntry('web1'), storedEntry('web2')]);
      });

      it('puts each in the place of what was known of its node', () => {
        const answer = storedAnswer(1, 'web1', { payload: Buffer.from([0, 255, 0]) });
        const late = storedAnswer(1, 'web9', { isAnonymous: true, outcome: 'failed' });
        store.saveAnswers([late, answer]);
        const [first, second, third] = store.answers(idOf(1), wholePage);
        expect({ ...first, id: idOf(1) }).to.deep.equal(answer);
        expect(second?.phase).to.equal('asked');
        expect({ ...third, id: idOf(1) }).to.deep.equal(late);
      });

      it('keeps an answer, and when it came, where the new one has no payload', () => {
        store.saveAnswers([storedAnswer(1, 'web1')]);
        const bare = { payload: undefined, outcome: 'failed', atWallMs: 9_999 } as const;
        store.saveAnswers([storedAnswer(1, 'web1', bare)]);
        expect(store.answers(idOf(1), wholePage)[0]).to.deep.include({
          outcome: 'failed',
          payload: Buffer.from('web1 is fine'),
          atWallMs: 1_100,
        });
      });

      it('replaces an answer by a later one with a payload, also an empty one', () => {
        store.saveAnswers([storedAnswer(1, 'web1')]);
        store.saveAnswers([storedAnswer(1, 'web1', { payload: Buffer.alloc(0), atWallMs: 9_999 })]);
        expect(store.answers(idOf(1), wholePage)[0]).to.deep.include({
          payload: Buffer.alloc(0),
          atWallMs: 9_999,
        });
      });

      it('saves answers of several requests at once', () => {
        store.openRequest(storedRequest(2), []);
        store.saveAnswers([storedAnswer(1, 'web1'), storedAnswer(2, 'web1'), storedAnswer(2, 'web3')]);
        expect(namesOf(store.answers(idOf(2), wholePage))).to.deep.equal(['web1', 'web3']);
        expect(store.entries(idOf(1))[0]?.outcome).to.equal('ok');
      });

      it('gives them in pages, by node name', () => {
        store.saveAnswers(['c', 'a', 'b'].map((node) => storedAnswer(1, node)));
        const first = store.answers(idOf(1), { limit: 2, maxBytes: Infinity });
        expect(namesOf(first)).to.deep.equal(['a', 'b']);
        const next = store.answers(idOf(1), { afterNode: 'b', limit: Infinity, maxBytes: Infinity });
        expect(namesOf(next)).to.deep.equal(['c', 'web1', 'web2']);
        expect(store.answers(idOf(1), { ...wholePage, afterNode: 'web2' })).to.deep.equal([]);
        expect(store.answers(idOf(2), wholePage)).to.deep.equal([]);
      });

      it('gives no more bytes than asked for, but one answer at least', () => {
        const payload = Buffer.alloc(100);
        store.saveAnswers(['a', 'b', 'c'].map((node) => storedAnswer(1, node, { payload })));
        const page = (maxBytes: number) => namesOf(store.answers(idOf(1), { limit: 100, maxBytes }));
        expect(page(1)).to.deep.equal(['a']);
        expect(page(199)).to.deep.equal(['a']);
        expect(page(200)).to.deep.equal(['a', 'b']);
        expect(page(300)).to.deep.equal(['a', 'b', 'c', 'web1', 'web2']);
      });
    });

    describe('lists requests', () => {
      const numbers = (filter: Partial<Parameters<Store['visit']>[0]>) =>
        numbersOf(listed(store, { limit: 100, ...filter }));

      it('last opened first, up to the limit', () => {
        addEnded(2, 3, 1);
        expect(numbers({})).to.deep.equal([3, 2, 1]);
        expect(numbers({ limit: 2 })).to.deep.equal([3, 2]);
      });

      it('with the later one first of those that were opened in the same millisecond', () => {
        for (const number of [7, 5, 6]) store.openRequest(storedRequest(number, { openedWallMs: 1_000 }), []);
        expect(numbers({})).to.deep.equal([6, 5, 7]);
      });

      it('with all that is known of them, and counts of the outcomes that occur', () => {
        const nodes = ['web1', 'web2', 'web3', 'web4', 'web5'];
        store.openRequest(
          storedRequest(1),
          nodes.map((node) => storedEntry(node)),
        );
        const decide = (node: string, outcome: (typeof outcomes)[number] | undefined) =>
          store.saveAnswers([storedAnswer(1, node, { outcome })]);
        decide('web1', 'ok');
        decide('web2', 'ok');
        decide('web3', 'no-answer');
        decide('web3', 'failed');
        decide('web4', 'refused');
        decide('web4', undefined);
        const [overview] = listed(store, { limit: 1 });
        expect(overview).to.deep.equal({ ...storedRequest(1), counts: { ok: 2, failed: 1 } });
        expect(numbers({ outcome: 'failed' })).to.deep.equal([1]);
        expect(numbers({ outcome: 'no-answer' })).to.deep.equal([]);
        expect(numbers({ outcome: 'refused' })).to.deep.equal([]);
      });

      it('with empty counts where nothing is decided', () => {
        store.openRequest(storedRequest(1), [storedEntry('web1')]);
        expect(listed(store, { limit: 1 })[0]?.counts).to.deep.equal({});
      });

      it('that were opened at or after a time', () => {
        addEnded(1, 2, 3);
        expect(numbers({ sinceWallMs: 2_000 })).to.deep.equal([3, 2]);
        expect(numbers({ sinceWallMs: 2_001 })).to.deep.equal([3]);
      });

      it('of a service', () => {
        addEnded(1, 2);
        store.openRequest(storedRequest(3, { service: 'ngin' }), []);
        expect(numbers({ service: 'nginx' })).to.deep.equal([2, 1]);
      });

      it('of a node, whether they have few nodes or many', () => {
        const crowd = Array.from({ length: nodesOfWide }, (_, node) => storedEntry(`crowd${node}`));
        for (const number of [1, 3, 5]) store.openRequest(storedRequest(number), [storedEntry('web1')]);
        for (const number of [2, 4])
          store.openRequest(storedRequest(number), [...crowd, storedEntry('web1')]);
        store.openRequest(storedRequest(6), crowd);
        store.openRequest(storedRequest(7, { anonymous: nodesOfWide }), []);
        store.saveAnswers([storedAnswer(7, 'web1', { isAnonymous: true })]);
        expect(numbers({ node: 'web1' })).to.deep.equal([7, 5, 4, 3, 2, 1]);
        expect(numbers({ node: 'web1', limit: 3 })).to.deep.equal([7, 5, 4]);
        expect(numbers({ node: 'web1', sinceWallMs: 3_000, outcome: 'ok' })).to.deep.equal([7]);
        expect(numbers({ node: 'crowd0', service: 'nginx' })).to.deep.equal([6, 4, 2]);
        expect(numbers({ node: 'web' })).to.deep.equal([]);
      });

      it('that have a node in an outcome', () => {
        addEnded(1, 2, 3);
        store.saveAnswers([storedAnswer(1, 'web1'), storedAnswer(2, 'web1', { outcome: 'interrupted' })]);
        expect(numbers({ outcome: 'interrupted' })).to.deep.equal([2]);
        expect(numbers({ outcome: 'cancelled' })).to.deep.equal([]);
      });

      it('that fulfil all conditions at once', () => {
        for (const number of [1, 2, 3, 4]) {
          const service = number === 3 ? 'cron' : 'nginx';
          store.openRequest(storedRequest(number, { service }), [storedEntry('web1')]);
          store.saveAnswers([storedAnswer(number, 'web1', { outcome: number === 4 ? 'failed' : 'ok' })]);
        }
        const all = { node: 'web1', service: 'nginx', outcome: 'ok', sinceWallMs: 2_000 } as const;
        expect(numbers(all)).to.deep.equal([2]);
      });
    });

    describe('keeps members and', () => {
      it('gives them back by name, with all their facts', () => {
        const { facts } = storedMember('web1');
        const member = storedMember('web1', { facts: { ...facts, os: 'debian' }, presence: 'lost' });
        store.saveMember(storedMember('web2'));
        store.saveMember(storedMember('web1'));
        store.saveMember(member);
        expect(store.members()).to.deep.equal([member, storedMember('web2')]);
      });

      it('notes when they were seen without touching the rest', () => {
        store.saveMember(storedMember('web1', { presence: 'left' }));
        store.saveLastSeen([storedMember('web1', { lastSeenWallMs: 7_000 }), storedMember('web2')]);
        const seen = storedMember('web1', { presence: 'left', lastSeenWallMs: 7_000 });
        expect(store.members()).to.deep.equal([seen]);
      });

      it('forgets them', () => {
        store.saveMember(storedMember('web1'));
        store.forgetMember('web1' as NodeName);
        store.forgetMember('web2' as NodeName);
        expect(store.members()).to.deep.equal([]);
      });
    });

    it('keeps settings', () => {
      expect(store.getSetting('port')).to.equal(undefined);
      store.setSetting('port', '5750');
      store.setSetting('port', '5751');
      expect(store.getSetting('port')).to.equal('5751');
    });

    describe('deletes the requests that ended first', () => {
      it('when they ended too long ago', () => {
        addEnded(1, 2, 3);
        expect(store.prune({ ...generous, maxAgeMs: 1_000 }, 3_000, 100)).to.equal(1);
        expect(numbersOf(listed(store, { limit: 100 }))).to.deep.equal([3, 2]);
        expect(store.request(idOf(1))).to.equal(undefined);
        expect(store.entries(idOf(1))).to.deep.equal([]);
      });

      it('when there are too many, where open ones count but stay', () => {
        store.openRequest(storedRequest(1), []);
        addEnded(4, 2, 3);
        expect(store.prune({ ...generous, maxRequests: 2 }, 9_000, 100)).to.equal(2);
        expect(numbersOf(listed(store, { limit: 100 }))).to.deep.equal([4, 1]);
        expect(store.prune({ ...generous, maxRequests: 0 }, 9_000, 100)).to.equal(1);
        expect(numbersOf(listed(store, { limit: 100 }))).to.deep.equal([1]);
      });

      it('when bodies and answers have too many bytes', () => {
        const payload = Buffer.alloc(1_000);
        for (const number of [1, 2, 3]) {
          store.openRequest(storedRequest(number, { bodyBytes: Buffer.alloc(500) }), [storedEntry('web1')]);
          store.saveAnswers([storedAnswer(number, 'web1'), storedAnswer(number, 'web2', { payload })]);
          store.saveAnswers([storedAnswer(number, 'web1', { payload })]);
          store.updateRequest(idOf(number), { endedWallMs: number * 1_000 });
        }
        expect(store.prune({ ...generous, maxBytes: 7_500 }, 0, 100)).to.equal(0);
        expect(store.prune({ ...generous, maxBytes: 7_499 }, 0, 100)).to.equal(1);
        expect(store.prune({ ...generous, maxBytes: 5_000 }, 0, 100)).to.equal(0);
        expect(store.prune({ ...generous, maxBytes: 1 }, 0, 100)).to.equal(2);
      });

      it('when what is kept of rollouts has too many bytes', () => {
        for (const number of [1, 2]) {
          const bodyBytes = Buffer.alloc(500);
          store.openRequest(storedRequest(number, { bodyBytes, rollout: 'x'.repeat(100) }), []);
          store.updateRequest(idOf(number), { rollout: 'ü'.repeat(250) });
          store.updateRequest(idOf(number), { endedWallMs: number * 1_000 });
        }
        expect(store.prune({ ...generous, maxBytes: 2_000 }, 0, 100)).to.equal(0);
        expect(store.prune({ ...generous, maxBytes: 1_999 }, 0, 100)).to.equal(1);
        expect(store.prune({ ...generous, maxBytes: 1_000 }, 0, 100)).to.equal(0);
        expect(store.prune({ ...generous, maxBytes: 999 }, 0, 100)).to.equal(1);
      });

      it('when signed cancellations have too many bytes', () => {
        const cancelled = { bytes: Buffer.alloc(300), signature: '' };
        store.openRequest(storedRequest(1, { bodyBytes: Buffer.alloc(500), cancelled }), []);
        store.openRequest(storedRequest(2, { bodyBytes: Buffer.alloc(500) }), []);
        for (const number of [1, 2])
          store.updateRequest(idOf(number), {
            endedWallMs: number,
            cancelled: { ...cancelled, bytes: Buffer.alloc(200) },
          });
        expect(store.prune({ ...generous, maxBytes: 1_400 }, 0, 100)).to.equal(0);
        expect(store.prune({ ...generous, maxBytes: 1_399 }, 0, 100)).to.equal(1);
        expect(store.prune({ ...generous, maxBytes: 700 }, 0, 100)).to.equal(0);
        expect(store.prune({ ...generous, maxBytes: 699 }, 0, 100)).to.equal(1);
      });

      it('in steps as small as told', () => {
        addEnded(1, 2, 3, 4, 5);
        const none = { ...generous, maxRequests: 0 };
        expect(store.prune(none, 0, 2)).to.equal(2);
        expect(numbersOf(listed(store, { limit: 100 }))).to.deep.equal([5, 4, 3]);
        expect(store.prune(none, 0, 100)).to.equal(3);
        expect(store.prune(none, 0, 100)).to.equal(0);
      });

      it('and finds no trace of them by any condition, nor in a new request of the same id', () => {
        addEnded(1);
        store.saveAnswers([storedAnswer(1, 'web1')]);
        store.prune({ ...generous, maxRequests: 0 }, 0, 100);
        store.openRequest(storedRequest(1), []);
        expect(listed(store, { limit: 1 })[0]?.counts).to.deep.equal({});
        expect(listed(store, { outcome: 'ok', limit: 1 })).to.deep.equal([]);
        expect(listed(store, { node: 'web1', limit: 1 })).to.deep.equal([]);
      });
    });

    describe('remembers the ids of requests that it deleted', () => {
      const none = { ...generous, maxRequests: 0 };
      const delay = 60_000;

      const addGoodUntil = (number: number, notAfterWallMs?: number) => {
        store.openRequest(storedRequest(number, notAfterWallMs === undefined ? {} : { notAfterWallMs }), []);
        store.updateRequest(idOf(number), { endedWallMs: number * 1_000 });
      };

      it('until a minute after they were good, and no longer', () => {
        addGoodUntil(1, 50_000);
        expect(store.isSpent(idOf(1), 2_000)).to.equal(false);
        store.prune(none, 2_000, 100);
        expect(store.isSpent(idOf(1), 2_000)).to.equal(true);
        expect(store.isSpent(idOf(1), 50_000 + delay - 1)).to.equal(true);
        expect(store.isSpent(idOf(1), 50_000 + delay)).to.equal(false);
        expect(store.isSpent(idOf(2), 2_000)).to.equal(false);
      });

      it('but not of those that were past already, or of which nobody knows', () => {
        addGoodUntil(1, 50_000);
        addGoodUntil(2);
        store.prune(none, 50_000 + delay, 100);
        for (const number of [1, 2]) expect(store.isSpent(idOf(number), 0)).to.equal(false);
      });

      it('and forgets them when that is past, a few at a time', () => {
        for (const number of [1, 2, 3, 4]) addGoodUntil(number, number * 1_000);
        store.prune(none, 0, 100);
        const spentAt = (wallMs: number) =>
          [1, 2, 3, 4].filter((number) => store.isSpent(idOf(number), wallMs));
        store.prune(none, delay + 3_000, 2);
        // As if the clock had been set back.
        expect(spentAt(0)).to.deep.equal([3, 4]);
        store.prune(none, delay + 3_000, 2);
        expect(spentAt(0)).to.deep.equal([4]);
        store.prune(none, delay + 4_000, 2);
        expect(spentAt(0)).to.deep.equal([]);
      });

      it('for as long as any of the same id is good', () => {
        for (const notAfterWallMs of [9_000, 50_000, 20_000]) {
          addGoodUntil(1, notAfterWallMs);
          store.prune(none, 0, 100);
        }
        expect(store.isSpent(idOf(1), 50_000 + delay - 1)).to.equal(true);
      });

      it('however far ahead the time is', () => {
        addGoodUntil(1, 2 ** 53 - 1);
        expect(store.request(idOf(1))?.notAfterWallMs).to.equal(2 ** 53 - 1);
        store.prune(none, 0, 100);
        expect(store.isSpent(idOf(1), 2 ** 53 - 1)).to.equal(true);
      });
    });

    it('may be closed twice', () => {
      store.close();
      store.close();
    });
  });
}

describe('SqliteStore', function () {
  this.timeout(30_000);

  it('keeps everything when it is closed and opened again', async () => {
    const before = await openSqlite();
    before.openRequest(storedRequest(1), [storedEntry('web1'), storedEntry('web2')]);
    before.saveAnswers([storedAnswer(1, 'web1')]);
    before.updateRequest(idOf(1), { endedWallMs: 2_000 });
    before.saveMember(storedMember('web1'));
    before.setSetting('port', '5750');
    before.openRequest(storedRequest(2, { notAfterWallMs: 3_000, by: 'operator alice', endedWallMs: 1 }), []);
    before.prune({ ...generous, maxRequests: 1 }, 0, 1);
    expect(before.isSpent(idOf(2), 0)).to.equal(true);
    const seen = everythingIn(before);
    before.close();
    const after = await openSqlite();
    expect(everythingIn(after)).to.deep.equal(seen);
    expect(after.getSetting('port')).to.equal('5750');
    after.close();
  });

  it('has two files while it is open, and one when it is closed', async () => {
    const store = await openSqlite();
    for (let number = 1; number < 500; number += 1) {
      store.openRequest(storedRequest(number, { endedWallMs: 1 }), [storedEntry('web1')]);
      store.saveAnswers([storedAnswer(number, 'web1', { payload: Buffer.alloc(20_000) })]);
      store.prune({ ...generous, maxRequests: 100 }, 0, 10);
      expect(readdirSync(join(folder, 'state'))).to.have.members(['manager.db', 'manager.db-wal']);
    }
    store.close();
    expect(readdirSync(join(folder, 'state'))).to.deep.equal(['manager.db']);
  });

  it('loses nothing that a call had returned for when its process is killed', async () => {
    const file = join(folder, 'state', 'manager.db');
    const writer = await DatabaseWriter.start('store', file, join(folder, 'said'), 300);
    await writer.kill();
    const written = writer.written();
    expect(written.length).to.be.at.least(300);
    const store = await openSqlite();
    for (const number of written) {
      const answers = store.answers(idOf(number), wholePage);
      expect(answers.map(({ payload }) => payload?.byteLength)).to.deep.equal([2_000, 12]);
    }
    expect(listed(store, { limit: 10_000 }).length).to.be.within(written.length, written.length + 1);
    store.close();
  });

  for (const kind of ['store', 'answers'] as const) {
    it(`fails with a code on a full disk, half writes nothing, and goes on when there is room (${kind})`, function () {
      const report = runOnFullDisk(kind, folder);
      if (report === undefined) {
        Object.assign(this.runnable(), { skipReason: 'this host lets us mount nothing' });
        return this.skip();
      }
      expect(report.written).to.be.greaterThan(20);
      expect(report.codes).to.deep.equal(['STORE_UNUSABLE', 'STORE_UNUSABLE', 'STORE_UNUSABLE']);
      expect(report.writtenInTheEnd).to.equal(report.written + 10);
      expect(report).to.include({ lostWhileFull: 0, lostInTheEnd: 0, halves: 0 });
    });
  }
});

/** All that can be asked of requests 0 to 4. */
function everythingIn(store: Store): unknown {
  const limit = 100;
  return {
    members: store.members(),
    lists: [
      listed(store, { limit }),
      ...outcomes.map((outcome) => listed(store, { outcome, limit })),
      ...['a', 'b', 'c'].map((node) => listed(store, { node, limit })),
    ],
    unfinished: store.unfinished(3_000),
    requests: Array.from({ length: 5 }, (_, number) => [
      store.request(idOf(number)),
      store.entries(idOf(number)),
      store.answers(idOf(number), wholePage),
    ]),
    spent: [0, 60_000, 61_000, 64_000].map((wallMs) =>
      Array.from({ length: 5 }, (_, number) => store.isSpent(idOf(number), wallMs)),
    ),
  };
}

interface Operation {
  readonly name: string;
  run(store: Store): unknown;
  toString(): string;
}

/** One call of a method, with these arguments. */
function calls<Name extends keyof Store>(
  name: Name,
  args: fc.Arbitrary<Parameters<Store[Name]>>,
): fc.Arbitrary<Operation> {
  return args.map((values) => ({
    name,
    // The compiler does not see that the arguments are those of this very method.
    run: (store: Store) => (store[name] as (...values: unknown[]) => unknown).apply(store, values),
    toString: () => `${name}(${fc.stringify(values)})`,
  }));
}

// Few of each, so that the calls meet each other.
const number = fc.integer({ min: 0, max: 4 });
const id = number.map(idOf);
const node = fc.constantFrom('a', 'b', '\u{1f600}', '\uffee', '?1') as fc.Arbitrary<NodeName>;
const service = fc.constantFrom('nginx', 'cron');
const outcome = fc.option(fc.constantFrom(...outcomes.slice(0, 3)), { nil: undefined });
const time = fc.integer({ min: 0, max: 5 }).map((seconds) => seconds * 1_000);
const payload = fc.option(
  fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
  { nil: undefined },
);
const isAnonymous = fc.boolean();
const phase = fc.constantFrom('asked', 'queued', 'running', 'done');
const entry = fc.record({ node, phase, outcome, isAnonymous }) as fc.Arbitrary<
  ReturnType<typeof storedEntry>
>;
const entries = fc.uniqueArray(entry, { selector: (each) => each.node });
const answer = fc
  .tuple(entry, id, payload, time)
  .map(([known, ofRequest, bytes, atWallMs]) => ({ ...known, id: ofRequest, payload: bytes, atWallMs }));
const cancelled = fc
  .uint8Array({ maxLength: 8 })
  .map((bytes) => ({ bytes: Buffer.from(bytes), signature: 'x' }));
const known = fc.record(
  { notAfterWallMs: time, by: fc.constantFrom('operator alice', 'monitor bob'), cancelled },
  { requiredKeys: [] },
);
const request = fc
  .tuple(number, service, time, fc.constantFrom(0, 2, nodesOfWide), known)
  .map(([ofNumber, name, openedWallMs, anonymous, more]) =>
    storedRequest(ofNumber, { service: name, openedWallMs, anonymous, ...more }),
  );
const bound = fc.constantFrom(0, 1, 3, 3_000, Infinity);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 5, arbitrary: calls('openRequest', fc.tuple(request, entries)) },
  { weight: 8, arbitrary: calls('saveAnswers', fc.tuple(fc.array(answer, { maxLength: 12 }))) },
  calls(
    'updateRequest',
    fc.tuple(
      id,
      fc.record(
        {
          endsWallMs: time,
          endedWallMs: fc.option(time, { nil: undefined }),
          isCancelled: fc.boolean(),
          cancelled,
        },
        { requiredKeys: [] },
      ),
    ),
  ),
  fc
    .record(
      {
        sinceWallMs: time,
        node,
        service,
        outcome: fc.constantFrom(...outcomes.slice(0, 3)),
        limit: fc.integer({ min: 1, max: 5 }),
      },
      { requiredKeys: ['limit'] },
    )
    .map((filter) => ({
      name: 'visit',
      run: (store: Store) => listed(store, filter),
      toString: () => `visit(${fc.stringify(filter)})`,
    })),
  calls(
    'answers',
    fc.tuple(
      id,
      fc.record(
        { afterNode: node, limit: fc.integer({ min: 1, max: 4 }), maxBytes: fc.integer({ min: 0, max: 20 }) },
        { requiredKeys: ['limit', 'maxBytes'] },
      ),
    ),
  ),
  calls('unfinished', fc.tuple(time)),
  calls(
    'prune',
    fc.tuple(
      fc.record({ maxAgeMs: bound, maxRequests: bound, maxBytes: fc.integer({ min: 0, max: 200 }) }),
      fc.oneof(time, fc.constantFrom(61_000, 64_000)),
      fc.integer({ min: 0, max: 3 }),
    ),
  ),
  calls('isSpent', fc.tuple(id, fc.constantFrom(0, 60_000, 61_000, 64_000))),
  calls(
    'saveMember',
    fc.tuple(fc.tuple(node, time).map(([name, sinceWallMs]) => storedMember(name, { sinceWallMs }))),
  ),
  calls('saveLastSeen', fc.tuple(fc.array(fc.record({ node, lastSeenWallMs: time }), { maxLength: 4 }))),
  calls('forgetMember', fc.tuple(node)),
);

const reopening: Operation = { name: 'reopen', run: () => undefined, toString: () => 'reopen()' };

describe('MemoryStore and SqliteStore', function () {
  this.timeout(120_000);

  it('answer the same to whatever is asked of them', async () => {
    const operations = fc.array(fc.oneof({ weight: 30, arbitrary: operation }, fc.constant(reopening)), {
      minLength: 10,
      maxLength: 80,
      size: 'max',
    });
    const property = fc.asyncProperty(operations, async (sequence) => {
      const memory = new MemoryStore();
      let sqlite = await openSqlite();
      try {
        for (const each of sequence) {
          if (each === reopening) {
            sqlite.close();
            sqlite = await openSqlite();
          }
          expect(each.run(sqlite)).to.deep.equal(each.run(memory));
        }
        expect(everythingIn(sqlite)).to.deep.equal(everythingIn(memory));
      } finally {
        sqlite.close();
        rmSync(join(folder, 'state'), { recursive: true });
      }
    });
    await fc.assert(property, { numRuns: 100, interruptAfterTimeLimit: 60_000 });
  });
});
