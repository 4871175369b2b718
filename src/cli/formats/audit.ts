import type { AuditLine } from '../../security/audit-chain.ts';
import { canonicalJson, type Json } from '../../security/canonical-json.ts';
import { cutTo, layoutOf, lineOf, padded, takenBy } from './columns.ts';
import { printable } from './printable.ts';

const head = ['NUMBER', 'TIME', 'EVENT'];
const narrowestFields = 20;

/**
 * A line for each event, in the order of the log; nothing at all without any. `columns` is the width to fit into, if there
 * is one: only the fields are cut.
 */
export function formatAuditTable(lines: readonly AuditLine[], columns: number | undefined): string {
  if (lines.length === 0) return '';
  const rows = lines.map(({ sequence, time, event }) => [String(sequence), time, printable(event)]);
  const layout = layoutOf(head, rows, (column) => column === 0);
  const width = columns === undefined ? undefined : Math.max(narrowestFields, columns - takenBy(layout));
  const shown = lines.map(({ fields }, at) => {
    const text = fieldsText(fields);
    return lineOf([...padded(layout, rows[at] ?? []), width === undefined ? text : cutTo(width, text)]);
  });
  return [lineOf([...padded(layout, head), 'FIELDS']), ...shown].join('');
}

/** `action=restart operator=alice target=role:web`; what has blanks is quoted. */
function fieldsText(fields: AuditLine['fields']): string {
  const texts = Object.entries(fields).map(([name, value]) => `${name}=${valueText(value)}`);
  return printable(texts.join(' '));
}

function valueText(value: Json): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : canonicalJson(value);
}
