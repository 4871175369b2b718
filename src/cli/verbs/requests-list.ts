import { Option } from '@commander-js/extra-typings';
import type { RequestConditions } from '../../client/index.ts';
import { nodeName, wholeNumber } from '../../config/values.ts';
import { outcomes } from '../../core/outcome.ts';
import { ServiceName } from '../../wire/fields.ts';
import { fieldFormat } from '../field-format.ts';
import { formatRequestLine, formatRequestsJson, formatRequestsTable } from '../formats/requests.ts';
import { addGlobalOptions, checked } from '../global-options.ts';
import type { Program } from '../program.ts';
import { withSession } from '../session.ts';
import { momentFormat } from '../times.ts';
import { newCommand } from '../verbs.ts';

function listCommand({ deps }: Program) {
  const command = newCommand('service-mgr-client requests list', deps.terminal)
    .description('Show the latest requests, the newest first. All conditions have to hold.')
    .option('--since <time>', `only those sent since then: ${momentFormat.expected}`, checked(momentFormat))
    .option('--node <name>', 'only those aimed at this node', checked(nodeName))
    .option('--service <name>', 'only those about this service', checked(fieldFormat(ServiceName)))
    .addOption(
      new Option('--outcome <outcome>', 'only those with at least one node in this outcome').choices(
        outcomes,
      ),
    )
    .option('--limit <count>', 'at most so many (default: 100)', checked(wholeNumber(1, 10_000)))
    .addOption(
      new Option('--format <format>', 'how to print them')
        .choices(['table', 'json', 'ndjson'] as const)
        .default('table' as const),
    );
  return addGlobalOptions(command);
}

type ListOptions = ReturnType<ReturnType<typeof listCommand>['opts']>;

export async function listRequests(argv: readonly string[], program: Program): Promise<number> {
  const options = listCommand(program)
    .parse([...argv], { from: 'user' })
    .opts();
  return withSession(program, options, 'always', async ({ manager, output, clock }) => {
    const requests = await manager.history.list(conditionsOf(options, clock.wallMs()));
    if (options.format === 'table') output.data(formatRequestsTable(requests, clock.wallMs()));
    else if (options.format === 'json') output.data(formatRequestsJson(requests));
    else output.data(requests.map(formatRequestLine).join(''));
    if (requests.length === 0) output.message('service-mgr-client: no request matches');
    return 0;
  });
}

function conditionsOf(
  { since, node, service, outcome, limit }: ListOptions,
  nowWallMs: number,
): RequestConditions {
  return {
    ...(since === undefined ? {} : { sinceMs: since(nowWallMs) }),
    ...(node === undefined ? {} : { node }),
    ...(service === undefined ? {} : { service }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(limit === undefined ? {} : { limit }),
  };
}
