import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { actionName, nodeName, serviceName } from '../../config/values.ts';
import { type PolicyQuestion, PolicyVerdict } from '../../wire/admin.ts';
import { ServiceManagerError } from '../../wire/errors.ts';
import { type NodeName, Target } from '../../wire/fields.ts';
import type { Choose, DaemonContext } from '../daemon-context.ts';
import type { DaemonHome, ManagerHome } from '../daemon-home.ts';
import { fieldFormat } from '../field-format.ts';
import { formatVerdict, formatVerdictJson } from '../formats/verdict.ts';
import { checked } from '../global-options.ts';
import { addGroup, addLeaf } from '../subcommands.ts';

export function addPolicy(program: CommandUnknownOpts): CommandUnknownOpts {
  return addGroup(program, 'policy', 'the rules that say who may do what');
}

export function addPolicyCheck<Home extends DaemonHome>(
  policy: CommandUnknownOpts,
  choose: Choose<Home>,
): void {
  addLeaf(
    policy,
    'check',
    'read the policy file, and say that it is good or all that is wrong with it',
  ).action(() => choose(check));
}

export function addPolicyTest(policy: CommandUnknownOpts, choose: Choose<ManagerHome>): void {
  addLeaf(policy, 'test', 'ask the running manager what its policy says of a request, node by node')
    .usage('--operator|--monitor <name> --action <cmd> --service <service> --target <target>')
    .option('--operator <name>', 'asked by this operator', checked(nodeName))
    .option('--monitor <name>', 'asked by this monitor', checked(nodeName))
    .requiredOption('--action <cmd>', 'what is to be done', checked(actionName))
    .requiredOption('--service <service>', 'the service to do it to', checked(serviceName))
    .requiredOption('--target <target>', 'whom it is for, as -T of the client', checked(fieldFormat(Target)))
    .addOption(
      new Option('--format <format>', 'how to print it')
        .choices(['text', 'json'] as const)
        .default('text' as const),
    )
    .addHelpText(
      'after',
      `
Each group of nodes stands with the rule that decides, and below it the other
rules that are about the same. Ends with 0 also where something is refused. An
agent may refuse by rules of its own what the manager allows.

Example:
  service-mgrd policy test --operator alice --action stop --service sshd \\
      --target any`,
    )
    .action(({ operator, monitor, format, ...asked }) =>
      choose((context) => test({ ...asked, ...asker(operator, monitor) }, format, context)),
    );
}

async function check({ home, output }: DaemonContext<DaemonHome>): Promise<number> {
  const { file } = home.policy;
  const policy = home.policy.read();
  if (policy === undefined) {
    output.data(`${file}: there is none, so the default holds\n`);
    return 0;
  }
  const count = policy.rules.length;
  output.data(`${file}: good, ${count === 1 ? '1 rule' : `${count} rules`}\n`);
  return 0;
}

function asker(
  operator: NodeName | undefined,
  monitor: NodeName | undefined,
): Pick<PolicyQuestion, 'role' | 'name'> {
  if (operator !== undefined && monitor === undefined) return { role: 'operator', name: operator };
  if (monitor !== undefined && operator === undefined) return { role: 'monitor', name: monitor };
  throw new ServiceManagerError('BAD_USAGE', 'policy test: expected --operator NAME or --monitor NAME');
}

async function test(
  question: PolicyQuestion,
  format: 'text' | 'json',
  { management, output, program }: DaemonContext<ManagerHome>,
): Promise<number> {
  const verdict = await management.askFor({ cmd: 'manager.policy.test', args: question }, PolicyVerdict);
  output.data(format === 'json' ? formatVerdictJson(verdict) : formatVerdict(verdict));
  if (verdict.groups.length === 0) output.message(`${program}: no known node is in "${question.target}"`);
  return 0;
}
