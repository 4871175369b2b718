import { Option } from '@commander-js/extra-typings';
import { foldNames } from '../../core/fold.ts';
import { allowedSkewMs, skewReport } from '../../security/skew.ts';
import { ServiceManagerError } from '../../wire/errors.ts';
import { Topic } from '../../wire/fields.ts';
import type { NodesReply } from '../../wire/query.ts';
import { exitCodeNamed } from '../exit-codes.ts';
import { fieldFormat } from '../field-format.ts';
import { formatNodeLine, formatNodesJson, formatNodesTable, nodeFormats } from '../formats/nodes.ts';
import { addGlobalOptions, checked } from '../global-options.ts';
import type { Output } from '../output.ts';
import type { Program, Verb } from '../program.ts';
import { type Session, withSession } from '../session.ts';
import { newCommand, readCommand, runVerb } from '../verbs.ts';
import { forgetNode } from './nodes-forget.ts';
import { watchNodes } from './nodes-watch.ts';

const verbs: readonly Verb[] = [
  {
    name: 'forget',
    usage: 'NAME',
    summary: 'forget a node that will not come back',
    run: forgetNode,
  },
];

function nodesCommand({ deps }: Program) {
  const command = newCommand('service-mgr-client nodes', deps.terminal)
    .usage('[options]\n       service-mgr-client nodes forget NAME')
    .description('Show the nodes that the manager knows, and whether they are there.')
    .option('-T, --topic <topic>', 'only those on this topic', checked(fieldFormat(Topic)))
    .addOption(
      new Option('--format <format>', 'how to print them').choices(nodeFormats).default('table' as const),
    )
    .option(
      '--watch',
      'then follow what changes, until Ctrl-C (or until -w has passed, if given); ends with 0',
    );
  return addGlobalOptions(command).addHelpText(
    'after',
    `
PRESENCE is alive, lost (nothing heard for 15 s), left (said goodbye) or CONFLICT
(several agents use the name, so none is served). json and ndjson have all that
is known of a node, with times in milliseconds and as RFC 3339.

Ends with 68 when a topic was given and no node is on it.`,
  );
}

export async function nodes(argv: readonly string[], program: Program): Promise<number> {
  const { options, chosen } = readCommand(nodesCommand(program), verbs, argv);
  if (chosen !== undefined) return runVerb(chosen, options, program);
  const { topic, format, watch } = options;
  if (watch === undefined)
    return withSession(program, options, 'always', (session) => listNodes(topic, format, session));
  if (format === 'json')
    throw new ServiceManagerError('BAD_USAGE', 'option --watch with --format json, expected table or ndjson');
  return withSession(program, options, 'when-given', (session) => watchNodes(topic, format, session));
}

const printers = {
  table: formatNodesTable,
  json: formatNodesJson,
  ndjson: (nodes: NodesReply['nodes']) => nodes.map(formatNodeLine).join(''),
} as const;

async function listNodes(
  topic: string | undefined,
  format: keyof typeof printers,
  { manager, output }: Session,
): Promise<number> {
  const { nodes, unnamed } = await manager.history.nodes(topic);
  output.data(printers[format](nodes));
  const isNobody = nodes.length + unnamed === 0;
  if (isNobody)
    output.message(`service-mgr-client: no node is ${topic === undefined ? 'known' : `on topic "${topic}"`}`);
  if (unnamed > 0) output.message(unnamedText(unnamed));
  sayClocks(nodes, output);
  return isNobody && topic !== undefined ? exitCodeNamed('no-node') : 0;
}

const mostNamedAlone = 20;

/** Says on standard error whose clock is too far off. */
function sayClocks(nodes: NodesReply['nodes'], output: Output): void {
  const reports = nodes.flatMap(({ node, clockOffsetMs = 0 }) => {
    const report = skewReport(node, clockOffsetMs);
    return report === undefined ? [] : [{ node, report }];
  });
  if (reports.length <= mostNamedAlone) for (const { report } of reports) output.message(report);
  else {
    const names = foldNames(reports.map(({ node }) => node));
    output.message(`the clocks of ${names} are off by more than ${allowedSkewMs / 1_000} s`);
  }
}

function unnamedText(count: number): string {
  return `and ${count === 1 ? '1 v1 agent' : `${count} v1 agents`}, which do not say who they are`;
}
