import type { MemberResult } from '../../wire/result.ts';
import { printable, printableLines } from './printable.ts';

/**
 * What became of a bundle, on one line: the members that are not as they should be, and what was rolled back. Of a
 * status, what is not running.
 */
export function membersLine(members: readonly MemberResult[], isStatus: boolean): string {
  const own = members.filter(({ isRollback }) => isRollback !== true);
  const rolledBack = members.filter(({ isRollback }) => isRollback === true);
  const bad = own.filter(({ outcome }) => outcome !== 'ok');
  const parts = [
    ...bad.map((member) => (isStatus ? `${nameOf(member)} ${wordOf(member)}` : troubleOf(member))),
    ...(rolledBack.length === 0 ? [] : [`rolled back ${rolledBack.map(rollbackOf).join(', ')}`]),
  ];
  if (parts.length > 0) return parts.join('; ');
  return own.length === 1 ? '1 member' : `${own.length} members`;
}

function nameOf({ service, ranAs }: MemberResult): string {
  return ranAs === undefined ? printable(service) : `${printable(service)} (as ${printable(ranAs)})`;
}

/** A member whose turn never came has no state. */
function wordOf({ outcome, state }: MemberResult): string {
  return outcome === 'cancelled' ? outcome : state;
}

/** `nginx failed (7): port is taken` */
function troubleOf(member: MemberResult): string {
  const { outcome, returncode, timedOut, verification, stdout, stderr } = member;
  const code = outcome === 'failed' && returncode !== 0 ? ` (${returncode})` : '';
  const reason = outcome === 'unverified' ? printable(verification?.reason ?? '') : undefined;
  const [said] = reason === undefined ? printableLines(`${stderr}\n${stdout}`) : [reason];
  const head = `${nameOf(member)} ${outcome}${timedOut === true ? ' (timed out)' : code}`;
  return said === undefined || said === '' ? head : `${head}: ${said}`;
}

function rollbackOf(member: MemberResult): string {
  return member.outcome === 'ok' ? nameOf(member) : `${nameOf(member)} (${member.outcome})`;
}
