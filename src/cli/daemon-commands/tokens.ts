import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { duration, nodeName, wholeNumber } from '../../config/values.ts';
import { CreatedToken, type TokenInfo, TokenList, TokenName, type TokenOrder } from '../../wire/admin.ts';
import { ServiceManagerError } from '../../wire/errors.ts';
import { joinRoles } from '../../wire/fields.ts';
import type { Choose, DaemonContext } from '../daemon-context.ts';
import type { ManagerHome } from '../daemon-home.ts';
import { fieldFormat } from '../field-format.ts';
import { formatTokensJson, formatTokensTable } from '../formats/tokens.ts';
import { checked } from '../global-options.ts';
import { joinPort } from '../join-options.ts';
import { addGroup, addLeaf } from '../subcommands.ts';
import { rfc3339, span } from '../times.ts';

const hourMs = 3_600_000;
const longestMs = 31 * 24 * hourMs;

/** Join tokens. */
export function addTokens(program: CommandUnknownOpts, choose: Choose<ManagerHome>): void {
  const token = addGroup(program, 'token', 'join tokens, with which agents and people are let in');
  addLeaf(token, 'create', 'make a join token and print it: the only time that it is seen')
    .usage('--role <role> [options]')
    .addOption(new Option('--role <role>', 'who joins with it').choices(joinRoles).makeOptionMandatory())
    .option('--ttl <time>', 'how long it is good (default: 1h)', checked(duration(1_000, longestMs)))
    .option('--name <name>', 'the only node or person that it is good for', checked(nodeName))
    .option('--uses <count>', 'for how many keys it is good (default: 1)', checked(wholeNumber(1, 100_000)))
    .addHelpText(
      'after',
      `
Standard output is the token alone, the rest goes to standard error. An operator
may do what the policy allows; a monitor may look; an agent serves the manager.

Example:
  service-mgrd token create --role agent --name web1`,
    )
    .action(({ role, ttl: ttlMs = hourMs, name, uses = 1 }) =>
      choose((context) => create({ role, ttlMs, uses, ...(name === undefined ? {} : { name }) }, context)),
    );
  addLeaf(token, 'list', 'show the join tokens that are still good, without what could be used')
    .addOption(
      new Option('--format <format>', 'how to print them')
        .choices(['table', 'json'] as const)
        .default('table' as const),
    )
    .action(({ format }) => choose((context) => list(format, context)));
  addLeaf(token, 'remove', 'make a join token good for nothing')
    .argument('<token-id>', 'its id, as token list shows it')
    .action((text) => choose((context) => remove(idIn(text), context)));
}

const tokenId = fieldFormat(TokenName.schema.properties.id);

/** Not shown where it is wrong: it may be the token itself. */
function idIn(text: string): string {
  const id = tokenId.parse(text);
  if (id !== undefined) return id;
  throw new ServiceManagerError('BAD_USAGE', `token remove: expected ${tokenId.expected}`);
}

async function create(
  order: TokenOrder,
  { home, management, output }: DaemonContext<ManagerHome>,
): Promise<number> {
  const command = { cmd: 'manager.tokens.create', args: order };
  const { token, info } = await management.askFor(command, CreatedToken);
  output.data(`${token}\n`);
  output.message(
    `token ${info.id}: ${goodFor(info)}, until ${rfc3339(info.expiresMs)} (${span(order.ttlMs)})`,
  );
  output.message(`type there: ${joiner(info)} join TOKEN --manager tcp://HOST${portOf(home)}`);
  output.message('with the line above in place of TOKEN, and the host of this manager in place of HOST');
  return 0;
}

/** `good for one agent named web1` */
function goodFor({ role, name, usesLeft }: TokenInfo): string {
  const count = usesLeft === 1 ? `one ${role}` : `${usesLeft} ${role}s`;
  return `good for ${count}${name === undefined ? '' : ` of the name ${name}`}`;
}

function joiner({ role }: TokenInfo): string {
  return role === 'agent' ? 'service-mgr-agentd' : 'service-mgr-client';
}

/** As much of the port as has to be typed. */
function portOf({ joinEndpoint = '' }: Pick<ManagerHome, 'joinEndpoint'>): string {
  const [port = ''] = /:\d+$/.exec(joinEndpoint) ?? [];
  return port === `:${joinPort}` ? '' : port;
}

async function list(
  format: 'table' | 'json',
  { management, output, deps, program }: DaemonContext<ManagerHome>,
): Promise<number> {
  const { tokens } = await management.askFor({ cmd: 'manager.tokens.list' }, TokenList);
  output.data(format === 'json' ? formatTokensJson(tokens) : formatTokensTable(tokens, deps.clock.wallMs()));
  if (tokens.length === 0) output.message(`${program}: there is no join token`);
  return 0;
}

async function remove(id: string, { management, output }: DaemonContext<ManagerHome>): Promise<number> {
  await management.ask({ cmd: 'manager.tokens.remove', args: { id } });
  output.message(`removed: ${id}`);
  return 0;
}
