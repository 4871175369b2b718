import { expect } from 'chai';
import fc from 'fast-check';
import type { AuditHead } from '../../../src/security/audit-chain.ts';
import { readAuditLine } from '../../../src/security/audit-chain.ts';
import { auditLines } from '../../../src/security/audit-lines.ts';
import { type AuditVerdict, verifyChain } from '../../../src/security/audit-verify.ts';
import { SettingHeads } from '../../../src/store/audit-heads.ts';
import { AuditTrail, type AuditTrailOptions } from '../../../src/store/audit-trail.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryAppendFiles } from '../../fakes/memory-append-files.ts';
import { RecordedLog } from '../../fakes/recorded-log.ts';
import { refusalOf } from '../security/refusal.ts';

const path = '/var/log/service-mgr/audit.log';

/** What of one audit log outlives its program. */
class Host {
  readonly files = new MemoryAppendFiles();
  readonly store = new MemoryStore();
  readonly heads = new SettingHeads(this.store);
  readonly clock = new ManualClock();
  readonly log = new RecordedLog();

  open(bounds: Pick<AuditTrailOptions, 'maxPartBytes' | 'maxBytes'> = {}): AuditTrail {
    const { files, heads, clock, log } = this;
    return AuditTrail.open({ files, path, heads, clock, log, ...bounds });
  }

  get present(): string {
    return this.files.texts.get(path) ?? '';
  }

  set present(text: string) {
    this.files.texts.set(path, text);
  }

  async lines(): Promise<string[]> {
    const lines: string[] = [];
    for await (const line of auditLines(this.files.read(path))) lines.push(line);
    return lines;
  }

  /** As `audit verify` has to ask. */
  async verdict(mayBeginLate = false): Promise<AuditVerdict> {
    const head = this.heads.load();
    const bounds = { mayBeginLate, mayLeadBy: Infinity, ...(head === undefined ? {} : { head }) };
    return await verifyChain(await this.lines(), bounds);
  }

  async fault(): Promise<string | undefined> {
    const verdict = await this.verdict();
    return verdict.isIntact ? undefined : verdict.fault;
  }
}

function eventsIn(lines: readonly string[]): (string | undefined)[] {
  return lines.map((line) => readAuditLine(line)?.event);
}

describe('an audit trail', () => {
  let host: Host;

  beforeEach(() => {
    host = new Host();
  });

  const written = (trail: AuditTrail, count: number): AuditHead => {
    for (let index = 0; index < count; index += 1)
      trail.write('request.accepted', { operator: 'alice', index });
    return trail.head;
  };

  it('writes one line for each event, with the time', async () => {
    const trail = host.open();
    trail.write('key.accepted', { operator: 'alice' });
    host.clock.advance(1_000);
    trail.write('request.refused', { rule: 'deny stop sshd' });
    const [first, second] = (await host.lines()).map(readAuditLine);
    expect(first).to.include({ event: 'key.accepted', sequence: 1, time: '2026-01-01T00:00:00.000Z' });
    expect(second).to.include({ event: 'request.refused', sequence: 2, time: '2026-01-01T00:00:01.000Z' });
    expect(second?.fields).to.deep.equal({ rule: 'deny stop sshd' });
    expect(trail.head).to.deep.equal({ sequence: 2, hash: second?.hash });
  });

  it('goes on where it was when it is opened again, closed or killed', async () => {
    const closed = host.open();
    written(closed, 3);
    closed.close();
    expect(host.heads.load()?.sequence).to.equal(3);
    const killed = host.open();
    expect(killed.head).to.deep.equal(closed.head);
    written(killed, 2);
    expect(host.heads.load()?.sequence).to.equal(3);
    const trail = host.open();
    expect(trail.head).to.deep.equal(killed.head);
    written(trail, 1);
    expect(await host.verdict()).to.deep.equal({ isIntact: true, head: trail.head });
    expect(host.log.events).to.deep.equal([]);
  });

  it('saves its head when asked, after the lines are on the disk, and only where there is something new', () => {
    const trail = host.open();
    trail.saveHead();
    expect([host.files.syncs, host.heads.load()]).to.deep.equal([0, undefined]);
    written(trail, 2);
    let syncsBefore = -1;
    const { setSetting } = host.store;
    host.store.setSetting = (name, value) => {
      syncsBefore = host.files.syncs;
      setSetting.call(host.store, name, value);
    };
    trail.saveHead();
    trail.saveHead();
    expect([host.files.syncs, syncsBefore]).to.deep.equal([1, 1]);
    expect(host.heads.load()).to.deep.equal(trail.head);
  });

  it('may be closed twice, and takes no event any more then', () => {
    const trail = host.open();
    written(trail, 1);
    trail.close();
    trail.close();
    expect(refusalOf(() => written(trail, 1)).code).to.equal('STORE_UNUSABLE');
    expect(trail.head.sequence).to.equal(1);
  });

  it('closes its file also where the head cannot be saved', () => {
    const trail = host.open();
    written(trail, 1);
    host.store.setSetting = () => {
      throw new Error('disk full');
    };
    expect(() => trail.close()).to.throw('disk full');
    expect(refusalOf(() => written(trail, 1)).message).to.include('it is closed');
  });

  it('fails with a code on a full disk, and goes on with the same number when there is room', async () => {
    const trail = host.open();
    written(trail, 1);
    host.files.roomBytes = 10;
    for (let tries = 0; tries < 2; tries += 1)
      expect(refusalOf(() => written(trail, 1)).code).to.equal('STORE_UNUSABLE');
    expect(trail.head.sequence).to.equal(1);
    host.files.roomBytes = Infinity;
    written(trail, 1);
    expect(await host.verdict()).to.deep.equal({ isIntact: true, head: trail.head });
  });

  it('goes on behind the last whole line when its program was stopped in the middle of one', async () => {
    const trail = host.open();
    written(trail, 2);
    trail.saveHead();
    host.present += '{"event":"request.acc';
    const after = host.open();
    expect(host.log.named('audit.torn').map(({ fields }) => fields)).to.deep.equal([
      { file: path, movedTo: `${path}.torn-1`, bytes: 21 },
    ]);
    written(after, 1);
    expect(await host.verdict()).to.deep.equal({ isIntact: true, head: after.head });
  });

  describe('puts a part aside that is full', () => {
    const bounds = { maxPartBytes: 600, maxBytes: 2_400 };

    it('and the parts together are one log', async () => {
      const trail = host.open({ maxPartBytes: 600 });
      written(trail, 9);
      expect(host.files.asides(path)).to.deep.equal([`${path}.3`, `${path}.6`]);
      expect(await host.verdict()).to.deep.equal({ isIntact: true, head: trail.head });
      const after = host.open({ maxPartBytes: 600 });
      written(after, 9);
      expect(after.head.sequence).to.equal(18);
      expect(await host.verdict()).to.deep.equal({ isIntact: true, head: after.head });
    });

    it('and removes the oldest when there are too many bytes, which it writes down', async () => {
      const trail = host.open(bounds);
      written(trail, 30);
      const lines = await host.lines();
      const bytes = lines.reduce((sum, line) => sum + line.length + 1, 0);
      expect(bytes).to.be.within(1_200, 2_400);
      const told = lines.map((line) => readAuditLine(line)).filter((line) => line?.event === 'audit.removed');
      const first = readAuditLine(lines[0] ?? '')?.sequence ?? 0;
      expect(told.at(-1)?.fields).to.deep.equal({ parts: [`audit.log.${first - 1}`] });
      expect(await host.verdict(true)).to.deep.equal({ isIntact: true, head: trail.head, first });
      expect(await host.fault()).to.equal('dropped');
    });

    it('and writes down what it removed as soon as there is room', async () => {
      const trail = host.open(bounds);
      while (host.files.asides(path).length < 2 || host.present.length < 600) written(trail, 1);
      host.files.roomBytes = 0;
      refusalOf(() => written(trail, 1));
      refusalOf(() => written(trail, 1));
      host.files.roomBytes = Infinity;
      written(trail, 1);
      const told = eventsIn(await host.lines()).filter((event) => event === 'audit.removed');
      expect(eventsIn(await host.lines()).slice(-2)).to.deep.equal(['audit.removed', 'request.accepted']);
      expect(told).to.have.length(1);
      expect((await host.verdict(true)).isIntact).to.equal(true);
    });

    it('and saves its head before, so that nothing behind the head is ever removed', async () => {
      const trail = host.open(bounds);
      host.store.setSetting = () => {
        throw new ServiceManagerError('STORE_UNUSABLE', 'disk full');
      };
      written(trail, 30);
      expect(host.files.asides(path)).to.deep.equal([]);
      Reflect.deleteProperty(host.store, 'setSetting');
      written(trail, 1);
      expect(host.heads.load()?.sequence).to.equal(30);
      expect(host.files.asides(path)).to.deep.equal([`${path}.30`]);
    });

    it('and goes on in it where it cannot be put aside, and says so once', async () => {
      const trail = host.open(bounds);
      host.files.cannotTurn = true;
      written(trail, 9);
      expect(host.files.asides(path)).to.deep.equal([]);
      expect(host.log.named('audit.not-turned')).to.have.length(1);
      host.files.cannotTurn = false;
      written(trail, 1);
      expect(host.files.asides(path)).to.deep.equal([`${path}.9`]);
      expect(await host.verdict()).to.deep.equal({ isIntact: true, head: trail.head });
    });
  });

  describe('whose log was damaged while nobody wrote to it', () => {
    const damages: ReadonlyArray<[fault: string, damage: (lines: string[]) => string[]]> = [
      ['changed', (lines) => [...lines.slice(0, -1), (lines.at(-1) ?? '').replace('alice', 'malory')]],
      ['truncated', (lines) => lines.slice(0, 3)],
      ['truncated', () => []],
    ];
    for (const [fault, damage] of damages) {
      it(`is put aside as it is, and the new one continues the saved head (${fault})`, async () => {
        const trail = host.open();
        written(trail, 5);
        trail.close();
        const { head } = trail;
        const lines = damage(await host.lines());
        host.present = lines.map((line) => `${line}\n`).join('');
        const before = host.present;
        const after = host.open();
        expect(host.log.named('audit.damaged').map(({ fields }) => fields)).to.deep.equal([
          { file: path, fault, goesOnFrom: 5 },
        ]);
        const asides = host.files.asides(path).map((part) => host.files.texts.get(part));
        expect(asides).to.deep.equal(before === '' ? [] : [before]);
        const [first] = host.present.split('\n').map((line) => readAuditLine(line));
        expect(first).to.include({ event: 'audit.damaged', sequence: 6, prev: head.hash });
        written(after, 1);
        after.close();
        expect(await host.fault()).to.equal(before === '' || fault === 'truncated' ? 'dropped' : fault);
      });
    }

    it('is put aside once, also when the new one is opened again before its head is saved', async () => {
      const trail = host.open();
      written(trail, 5);
      trail.close();
      host.present = `${host.present.split('\n')[0]}\n`;
      for (let opened = 0; opened < 3; opened += 1) written(host.open(), 1);
      expect(host.files.asides(path)).to.have.length(1);
      expect(host.log.named('audit.damaged')).to.have.length(1);
      expect(eventsIn(host.present.split('\n').slice(0, -1))).to.deep.equal([
        'audit.damaged',
        ...Array(3).fill('request.accepted'),
      ]);
    });

    it('is continued from its last good line where no head was saved', async () => {
      const trail = host.open();
      written(trail, 2);
      host.present += 'no line\n';
      const after = host.open();
      expect(after.head.sequence).to.equal(3);
      after.close();
      const [first] = host.present.split('\n').map((line) => readAuditLine(line));
      expect(first).to.include({ event: 'audit.damaged', prev: trail.head.hash });
      expect(await host.verdict()).to.include({ fault: 'changed', lineNumber: 3 });
    });

    it('and written anew as a whole is not taken for the log that it was', async () => {
      const trail = host.open();
      written(trail, 5);
      trail.close();
      const forged = new Host();
      written(forged.open(), 4);
      const forger = forged.open();
      forger.write('nothing.happened', {});
      written(forger, 3);
      host.present = forged.present;
      const after = host.open();
      expect(host.log.named('audit.damaged')).to.have.length(1);
      written(after, 5);
      after.close();
      expect(await host.fault()).to.equal('repeated');
    });
  });

  it('says that its head cannot be read, and goes on with its last line', () => {
    const trail = host.open();
    written(trail, 2);
    host.store.setSetting('audit head', 'nonsense');
    const after = host.open();
    expect(after.head).to.deep.equal(trail.head);
    expect(host.log.named('audit.head-unreadable')).to.have.length(1);
    written(after, 1);
    after.saveHead();
    expect(host.heads.load()).to.deep.equal(after.head);
  });

  it('is not opened where the database does not say what the head is', () => {
    host.store.getSetting = () => {
      throw new Error('no database');
    };
    expect(() => host.open()).to.throw('no database');
  });
});

type Step =
  | { readonly kind: 'write'; readonly count: number }
  | { readonly kind: 'save' }
  | { readonly kind: 'close' }
  /** Killed, maybe in the middle of a line. */
  | { readonly kind: 'kill'; readonly torn: string };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('write' as const), count: fc.integer({ min: 1, max: 4 }) }),
  },
  fc.constant({ kind: 'save' as const }),
  fc.constant({ kind: 'close' as const }),
  fc.record({ kind: fc.constant('kill' as const), torn: fc.constantFrom('', '{', '{"event":"x') }),
);
const steps = fc.array(step, { minLength: 1, maxLength: 25 });
const partBytes = fc.constantFrom(1, 300, 700, Infinity);

/** Goes through the steps; returns what was written, in order. */
function run(
  host: Host,
  taken: readonly Step[],
  bounds: { maxPartBytes: number; maxBytes: number },
): number[] {
  const numbers: number[] = [];
  let trail = host.open(bounds);
  for (const each of taken) {
    if (each.kind === 'save') trail.saveHead();
    else if (each.kind === 'write') {
      for (let count = 0; count < each.count; count += 1) {
        numbers.push(numbers.length);
        trail.write('test.happened', { number: numbers.length - 1 });
      }
    } else {
      if (each.kind === 'close') trail.close();
      else host.present += each.torn;
      trail = host.open(bounds);
    }
  }
  trail.saveHead();
  return numbers;
}

describe('any audit trail', () => {
  it('is intact, and has all that was written, whenever its program was killed', async () => {
    await fc.assert(
      fc.asyncProperty(steps, partBytes, async (taken, maxPartBytes) => {
        const host = new Host();
        const numbers = run(host, taken, { maxPartBytes, maxBytes: Infinity });
        const head = host.heads.load();
        expect(await host.verdict()).to.deep.equal({
          isIntact: true,
          head: head ?? { sequence: 0, hash: '0'.repeat(64) },
        });
        const lines = (await host.lines()).map((line) => readAuditLine(line)?.fields['number']);
        expect(lines).to.deep.equal(numbers);
        expect(host.log.named('audit.damaged')).to.deep.equal([]);
      }),
    );
  });

  it('of which the oldest parts were removed is intact from there on', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.constantFrom(1, 300, 700), async (taken, maxPartBytes) => {
        const host = new Host();
        run(host, taken, { maxPartBytes, maxBytes: 3 * maxPartBytes });
        expect(await host.verdict(true)).to.include({ isIntact: true });
        expect(host.log.named('audit.damaged')).to.deep.equal([]);
      }),
    );
  });

  const place = fc.nat(10_000);
  const damage = fc.oneof(
    fc.record({ kind: fc.constant('change' as const), at: place, flip: fc.integer({ min: 1, max: 127 }) }),
    fc.record({ kind: fc.constantFrom('drop' as const, 'swap' as const, 'cut' as const), at: place }),
  );

  const damaged = (text: string, how: { kind: string; at: number; flip?: number }): string => {
    const lines = text.split('\n').slice(0, -1);
    const at = how.at % lines.length;
    if (how.kind === 'change') {
      const bytes = Buffer.from(text);
      const index = how.at % bytes.length;
      bytes[index] = (bytes[index] ?? 0) ^ (how.flip ?? 1);
      return bytes.toString();
    }
    const [moved = ''] = lines.splice(at, 1);
    if (how.kind === 'swap') lines.splice((at + 1) % (lines.length + 1), 0, moved);
    if (how.kind === 'cut') lines.splice(at);
    return lines.map((line) => `${line}\n`).join('');
  };

  it('that was damaged anywhere is found out, at once and also after it was opened and written to again', async () => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        partBytes,
        damage,
        steps,
        place,
        async (taken, maxPartBytes, how, more, part) => {
          const host = new Host();
          const bounds = { maxPartBytes, maxBytes: Infinity };
          run(host, taken, bounds);
          const parts = [...host.files.texts].filter(([name, text]) => text !== '' && !name.includes('torn'));
          const [name, text = ''] = parts[part % Math.max(1, parts.length)] ?? [];
          if (name === undefined || damaged(text, how) === text) return;
          host.files.texts.set(name, damaged(text, how));
          expect((await host.verdict()).isIntact).to.equal(false);
          run(host, more, bounds);
          expect((await host.verdict()).isIntact).to.equal(false);
        },
      ),
      { numRuns: 300 },
    );
  });
});
