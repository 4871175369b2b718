import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { matching, wholeNumber } from '../../config/values.ts';
import { describeAudit } from '../../security/audit-verify.ts';
import { AuditHeadInfo } from '../../wire/admin.ts';
import { isServiceManagerError, ServiceManagerError } from '../../wire/errors.ts';
import { checkAudit, type KnownHead } from '../audit-check.ts';
import { type EntryConditions, findEntries } from '../audit-entries.ts';
import type { Choose, DaemonContext } from '../daemon-context.ts';
import type { AuditHome, DaemonHome } from '../daemon-home.ts';
import { daemonExits } from '../exit-codes.ts';
import { formatAuditTable } from '../formats/audit.ts';
import { checked } from '../global-options.ts';
import { addGroup, addLeaf } from '../subcommands.ts';
import { type Moment, momentFormat } from '../times.ts';

const eventPattern = matching(
  /^[A-Za-z0-9_.*-]{1,64}$/,
  'the name of an event such as request.refused, or key.* for several',
);
const usualLimit = 100;
// Where no daemon runs, nobody says so: it is only silent.
const headTimeoutMs = 1_000;

interface ShowOptions {
  readonly since?: Moment | undefined;
  readonly event?: string | undefined;
  readonly limit?: number | undefined;
  readonly format: 'table' | 'ndjson';
}

/** `headCommand`: the management command that tells how far the log is. */
export function addAudit<Home extends DaemonHome>(
  program: CommandUnknownOpts,
  choose: Choose<Home>,
  headCommand: string,
): void {
  const audit = addGroup(program, 'audit', 'the log of who asked for what, and what became of it');
  addLeaf(audit, 'show', 'show the last events of the audit log of this host')
    .option('--since <time>', `only those since then: ${momentFormat.expected}`, checked(momentFormat))
    .option('--event <name>', `only these: ${eventPattern.expected}`, checked(eventPattern))
    .option('--limit <count>', 'at most so many (default: 100)', checked(wholeNumber(1, 10_000)))
    .addOption(
      new Option('--format <format>', 'how to print them')
        .choices(['table', 'ndjson'] as const)
        .default('table' as const),
    )
    .addHelpText('after', '\nndjson prints the lines of the log as they stand in it.')
    .action((options) => choose((context) => show(options, context)));
  addLeaf(
    audit,
    'verify',
    'read all of the audit log, and say whether something was changed, dropped or moved',
  )
    .addHelpText(
      'after',
      `
It is held against the head that the running daemon tells, or else against the
one that was stored. Names the first wrong line, counted over all parts of the
log from the oldest on, and ends with 65 then.`,
    )
    .action(() => choose((context) => verify(headCommand, context)));
  addLeaf(audit, 'head', 'print the number and the hash of the last line of the audit log')
    .addHelpText(
      'after',
      `
Keep it on another host now and then: whoever can write the log and the head that
is stored beside it could write both anew.`,
    )
    .action(() => choose((context) => printHead(headCommand, context)));
}

async function show(
  { since, event, limit = usualLimit, format }: ShowOptions,
  { home, output, deps, program }: DaemonContext<DaemonHome>,
): Promise<number> {
  const conditions: EntryConditions = { sinceMs: since?.(deps.clock.wallMs()), event, limit };
  const { entries, unreadable } = await findEntries(auditOf(home, program).read(), conditions);
  const lines = entries.map(({ line }) => line);
  if (format === 'ndjson') output.data(entries.map(({ text }) => `${text}\n`).join(''));
  else output.data(formatAuditTable(lines, output.columns));
  if (entries.length === 0) output.message(`${program}: no event matches`);
  if (unreadable > 0)
    output.message(`${program}: ${unreadableText(unreadable)}: see "${program} audit verify"`);
  return 0;
}

function unreadableText(count: number): string {
  return count === 1 ? '1 line is not as it was written' : `${count} lines are not as they were written`;
}

async function verify(headCommand: string, context: DaemonContext<DaemonHome>): Promise<number> {
  const { home, output, program } = context;
  const audit = auditOf(home, program);
  const { verdict, known } = await checkAudit(
    () => audit.read(),
    () => knownHead(headCommand, audit, context),
  );
  output.data(`${audit.file}: ${describeAudit(verdict)}\n`);
  if (verdict.isIntact && verdict.first !== undefined)
    output.message(`what was before number ${verdict.first} was removed, by its size or by somebody`);
  if (known === undefined)
    output.message('no head is known, so it would not be seen if the end of the log was cut off');
  else if (!known.isLive)
    output.message(
      `no daemon answers, so it was held against the stored head, number ${known.head.sequence}`,
    );
  return verdict.isIntact ? 0 : daemonExits.dataError;
}

async function printHead(headCommand: string, context: DaemonContext<DaemonHome>): Promise<number> {
  const { home, output, program } = context;
  const audit = auditOf(home, program);
  const known = await knownHead(headCommand, audit, context);
  if (known === undefined)
    throw new ServiceManagerError('BAD_CONFIG', `${audit.file}: no head of it is known`);
  output.data(`${known.head.sequence} ${known.head.hash}\n`);
  if (!known.isLive)
    output.message(`${program}: no daemon answers, so this is the head that was stored last`);
  return 0;
}

function auditOf({ audit }: DaemonHome, program: string): AuditHome {
  if (audit !== undefined) return audit;
  throw new ServiceManagerError(
    'BAD_CONFIG',
    `${program} keeps no audit log: the configuration says audit = no`,
  );
}

async function knownHead(
  cmd: string,
  audit: AuditHome,
  { management }: DaemonContext<DaemonHome>,
): Promise<KnownHead | undefined> {
  try {
    return { head: await management.askFor({ cmd }, AuditHeadInfo, headTimeoutMs), isLive: true };
  } catch (error) {
    if (!isServiceManagerError(error) || error.code !== 'MANAGER_UNREACHABLE') throw error;
    const head = await audit.storedHead();
    return head === undefined ? undefined : { head, isLive: false };
  }
}
