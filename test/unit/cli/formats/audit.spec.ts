import { expect } from 'chai';
import { formatAuditTable } from '../../../../src/cli/formats/audit.ts';
import {
  type AuditEvent,
  auditStart,
  nextLine,
  readAuditLine,
} from '../../../../src/security/audit-chain.ts';
import { hostileText, terminalControls } from '../../../fakes/answers.ts';

function lineOf(fields: AuditEvent['fields']) {
  const { line } = nextLine(auditStart, { timeMs: Date.UTC(2026, 0, 1), event: 'request.accepted', fields });
  const read = readAuditLine(line);
  if (read === undefined) throw new Error('no line');
  return read;
}

const fieldsIn = (fields: AuditEvent['fields'], columns?: number) => {
  const [, row = ''] = formatAuditTable([lineOf(fields)], columns).split('\n');
  return row.slice('     1  2026-01-01T00:00:00.000Z  request.accepted  '.length);
};

describe('audit events', () => {
  it('are nothing as a table when there are none', () => {
    expect(formatAuditTable([], undefined)).to.equal('');
  });

  it('show each field, quoted where it could be taken for several', () => {
    expect(
      fieldsIn({ action: 'stop', nodes: 3, target: 'role:web and Linux', why: 'a=b', none: '' }),
    ).to.equal('action=stop nodes=3 none="" target="role:web and Linux" why="a=b"');
    expect(fieldsIn({ nodes: ['web1', 'web2'], counts: { ok: 2 } })).to.equal(
      'counts={"ok":2} nodes=["web1","web2"]',
    );
  });

  it('are cut to the width of a terminal, and nowhere else', () => {
    const fields = { target: 'x'.repeat(300) };
    expect(fieldsIn(fields)).to.have.length(307);
    const rows = formatAuditTable([lineOf(fields)], 90).split('\n');
    expect(rows.map((row) => row.length <= 90)).to.deep.equal([true, true, true]);
    expect(rows[1]).to.match(/\.\.\.$/);
    expect(fieldsIn(fields, 10)).to.equal(`target=${'x'.repeat(10)}...`);
  });

  it('let no control through to the terminal', () => {
    expect(formatAuditTable([lineOf({ target: hostileText })], undefined)).not.to.match(terminalControls);
  });
});
