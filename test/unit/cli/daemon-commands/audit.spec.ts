import { expect } from 'chai';
import { type AuditHead, auditStart, nextLine } from '../../../../src/security/audit-chain.ts';
import { newCurveKeys } from '../../../../src/security/keys.ts';
import { ServiceManagerError } from '../../../../src/wire/errors.ts';
import { agentHost, managerHost } from '../../../fakes/command-host.ts';

const nowMs = Date.UTC(2026, 0, 1);
const file = '/var/lib/service-mgr/audit.log';

/** A log of so many lines, one a minute, the fifth of them now, and its head. */
function logOf(count: number) {
  const lines: string[] = [];
  let head: AuditHead = auditStart;
  for (let number = 1; number <= count; number += 1) {
    const event = number % 2 === 0 ? 'request.refused' : 'key.accepted';
    const timeMs = nowMs + (number - 5) * 60_000;
    const next = nextLine(head, { timeMs, event, fields: { operator: 'alice', why: 'not that', number } });
    lines.push(next.line);
    head = next.head;
  }
  return { lines, head };
}

async function* bytesOf(lines: readonly string[]) {
  yield Buffer.from(lines.map((line) => `${line}\n`).join(''));
}

for (const [program, hostOf, cmd] of [
  ['service-mgrd', managerHost, 'manager.audit.head'],
  ['service-mgr-agentd', agentHost, 'agent.audit.head'],
] as const) {
  const { lines, head } = logOf(5);

  /** A host with this log, and what was noted of it elsewhere. */
  function hostWith(log: readonly string[], storedHead: AuditHead | undefined = head) {
    const host = hostOf();
    const audit = { file, read: () => bytesOf(log), storedHead: async () => storedHead };
    host.home = { ...host.home, audit };
    return host;
  }

  /** The daemon runs as well, and says these in turn; the last one for ever. */
  async function runningWith(log: readonly string[], ...heads: readonly AuditHead[]) {
    const host = hostWith(log);
    const own = newCurveKeys();
    host.home = { ...host.home, ownKeys: () => own };
    let asked = 0;
    const tell = () => {
      const result = { ...(heads[asked] ?? heads.at(-1)) };
      asked += 1;
      return { success: 0, msg: '', result } as const;
    };
    await host.runsWith({ [cmd]: tell }, own);
    return host;
  }

  describe(`${program} audit show`, () => {
    it('shows each event with its number, its time and what belongs to it', async () => {
      const { code, out, error } = await hostWith(lines.slice(0, 2)).end('audit show');
      expect({ code, error }).to.deep.equal({ code: 0, error: '' });
      expect(out).to.equal(
        [
          'NUMBER  TIME                      EVENT            FIELDS',
          '     1  2025-12-31T23:56:00.000Z  key.accepted     number=1 operator=alice why="not that"',
          '     2  2025-12-31T23:57:00.000Z  request.refused  number=2 operator=alice why="not that"',
          '',
        ].join('\n'),
      );
    });

    it('needs no daemon, and prints the lines as they stand', async () => {
      const { out } = await hostWith(lines).end('audit show --format ndjson');
      expect(out).to.equal(lines.map((line) => `${line}\n`).join(''));
    });

    const chosen: ReadonlyArray<readonly [argv: string, numbers: readonly number[]]> = [
      ['--since 2m', [3, 4, 5]],
      ['--since 2025-12-31T23:59:00Z', [4, 5]],
      ['--event request.refused', [2, 4]],
      ['--event key.*', [1, 3, 5]],
      ['--event refused', []],
      ['--limit 2', [4, 5]],
      ['--event key.* --limit 2', [3, 5]],
    ];
    for (const [argv, numbers] of chosen) {
      it(`shows with ${argv} the numbers ${numbers.join(', ') || 'of none'}`, async () => {
        const { code, out, error } = await hostWith(lines).end(`audit show --format ndjson ${argv}`);
        const shown = out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line).sequence]));
        expect([code, shown]).to.deep.equal([0, numbers]);
        expect(error).to.equal(numbers.length === 0 ? `${program}: no event matches\n` : '');
      });
    }

    it('shows the last hundred where nothing else is said', async () => {
      const { out } = await hostWith(logOf(103).lines).end('audit show --format ndjson');
      expect(out.trimEnd().split('\n')).to.deep.equal(logOf(103).lines.slice(3));
    });

    it('leaves out what is not as it was written, and says so', async () => {
      const changed = lines.with(1, lines[1]?.replace('alice', 'mallory') ?? '');
      const { code, out, error } = await hostWith(changed).end('audit show --format ndjson');
      expect([code, out.split('\n').length]).to.deep.equal([0, 5]);
      expect(error).to.equal(`${program}: 1 line is not as it was written: see "${program} audit verify"\n`);
    });
  });

  describe(`${program} audit verify`, () => {
    const intact = `${file}: the log is intact up to number 5, head ${head.hash}\n`;

    it('holds the log against the head that the daemon tells', async () => {
      const host = await runningWith(lines, head);
      expect(await host.end('audit verify')).to.deep.equal({ code: 0, out: intact, error: '' });
    });

    it('holds it against the head that was stored where no daemon answers, and says so', async () => {
      expect(await hostWith(lines, logOf(3).head).end('audit verify')).to.deep.equal({
        ...{ code: 0, out: intact },
        error: 'no daemon answers, so it was held against the stored head, number 3\n',
      });
    });

    it('finds an end that was cut off', async () => {
      for (const host of [hostWith(lines.slice(0, 4)), await runningWith(lines.slice(0, 4), head)]) {
        const { code, out } = await host.end('audit verify');
        expect(code).to.equal(65);
        expect(out).to.equal(
          `${file}: line 5 is the first that is wrong: the end of the log was cut off; number 5 belongs there\n`,
        );
      }
    });

    it('says when no head is known at all', async () => {
      const host = hostOf();
      const audit = { file, read: () => bytesOf(lines), storedHead: async () => undefined };
      host.home = { ...host.home, audit };
      expect(await host.end('audit verify')).to.deep.equal({
        ...{ code: 0, out: intact },
        error: 'no head is known, so it would not be seen if the end of the log was cut off\n',
      });
    });

    it('takes what the daemon writes meanwhile', async () => {
      const host = await runningWith(lines, logOf(3).head, head);
      expect(await host.end('audit verify')).to.deep.equal({ code: 0, out: intact, error: '' });
    });

    it('finds what the daemon has not written', async () => {
      const host = await runningWith(lines, logOf(3).head);
      const { code, out } = await host.end('audit verify');
      expect(code).to.equal(65);
      expect(out).to.include('line 4 is the first that is wrong: the log goes on behind its head');
      const late = await runningWith(lines.slice(2), logOf(3).head);
      expect((await late.end('audit verify')).out).to.include('line 2 is the first that is wrong');
    });

    const damages: ReadonlyArray<readonly [what: string, log: readonly string[], complaint: string]> = [
      ['changed', lines.with(1, lines[1]?.replace('alice', 'mallory') ?? ''), 'line 2 is the first'],
      ['dropped', lines.toSpliced(2, 1), 'line 3 is the first that is wrong: lines before it were dropped'],
      ['reordered', [...lines.slice(0, 1), ...lines.slice(1).reverse()], 'line 2 is the first'],
    ];
    for (const [what, log, complaint] of damages) {
      it(`names the first line that was ${what}`, async () => {
        const { code, out } = await (await runningWith(log, head)).end('audit verify');
        expect(code).to.equal(65);
        expect(out).to.include(complaint);
      });
    }

    it('begins where the log begins, and says that something was before', async () => {
      const host = await runningWith(lines.slice(2), head);
      expect(await host.end('audit verify')).to.deep.equal({
        code: 0,
        out: intact.replace('intact', 'intact from number 3'),
        error: 'what was before number 3 was removed, by its size or by somebody\n',
      });
      const damaged = await (await runningWith(lines.slice(2).toSpliced(1, 1), head)).end('audit verify');
      expect(damaged.code).to.equal(65);
      expect(damaged.out).to.include('line 2 is the first');
    });

    it('takes an empty log for what it is', async () => {
      const host = await runningWith([], auditStart);
      expect(await host.end('audit verify')).to.include({ code: 0, error: '' });
      expect(await (await runningWith([], head)).end('audit verify')).to.include({ code: 65 });
    });
  });

  describe(`${program} audit head`, () => {
    it('prints number and hash as the daemon tells them', async () => {
      const host = await runningWith([], head);
      expect(await host.end('audit head')).to.deep.equal({ code: 0, out: `5 ${head.hash}\n`, error: '' });
    });

    it('prints the stored one where no daemon answers, and says so', async () => {
      expect(await hostWith([]).end('audit head')).to.deep.equal({
        ...{ code: 0, out: `5 ${head.hash}\n` },
        error: `${program}: no daemon answers, so this is the head that was stored last\n`,
      });
    });

    it('fails where there is none', async () => {
      const host = hostOf();
      const audit = { file, read: () => bytesOf([]), storedHead: async () => undefined };
      host.home = { ...host.home, audit };
      expect(await host.end('audit head')).to.deep.equal({
        ...{ code: 78, out: '', error: `${program}: ${file}: no head of it is known\n` },
      });
    });
  });

  describe(`the audit log of ${program}`, () => {
    it('is none where the configuration says so', async () => {
      for (const command of ['show', 'verify', 'head'])
        expect(await hostOf().end(`audit ${command}`)).to.deep.equal({
          ...{ code: 78, out: '' },
          error: `${program}: ${program} keeps no audit log: the configuration says audit = no\n`,
        });
    });

    it('is not read by whoever may not', async () => {
      const host = hostWith(lines);
      const audit = {
        file,
        read: () => {
          throw new ServiceManagerError('BAD_CONFIG', `${file}: cannot be read`);
        },
        storedHead: async () => head,
      };
      host.home = { ...host.home, audit };
      expect(await host.end('audit show')).to.include({
        code: 78,
        error: `${program}: ${file}: cannot be read\n`,
      });
    });
  });
}
