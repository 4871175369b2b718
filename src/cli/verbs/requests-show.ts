import { Option } from '@commander-js/extra-typings';
import { absencesOf, findRequest, requestName, summaryOfReply } from '../earlier-request.ts';
import { byNode } from '../follow.ts';
import { formatRequestHead } from '../formats/requests.ts';
import { addGlobalOptions, checked } from '../global-options.ts';
import { printReport } from '../print.ts';
import type { Program } from '../program.ts';
import { exitCodeOfSummary } from '../report.ts';
import { type Session, withSession } from '../session.ts';
import { newCommand } from '../verbs.ts';

const formats = ['table', 'json', 'full', 'groups'] as const;

function showCommand({ deps }: Program) {
  const command = newCommand('service-mgr-client requests show', deps.terminal)
    .description('Show one request: what became of it at every node, as far as it is known now.')
    .argument('<id>', requestName.expected, checked(requestName))
    .addOption(new Option('--format <format>', 'how to print it').choices(formats).default('table' as const));
  return addGlobalOptions(command).addHelpText(
    'after',
    `
json prints the answers alone, in the shape of 2014. While the request is open, a
node that has not answered is shown as no-answer or running, and one whose turn in
a rollout has not come as waiting (cancelled in full). Ends with 0 when it
could be shown; full says in exitCode how the request itself came out.`,
  );
}

export async function showRequest(argv: readonly string[], program: Program): Promise<number> {
  const command = showCommand(program).parse([...argv], { from: 'user' });
  const [name] = command.processedArgs;
  const options = command.opts();
  return withSession(program, options, 'always', (session) => show(name, options.format, session));
}

async function show(name: string, format: (typeof formats)[number], session: Session): Promise<number> {
  const { manager, output, clock } = session;
  const reply = await findRequest(name, manager.history);
  const { request: facts } = reply;
  const answers = await manager.history.answers(facts.id);
  const summary = summaryOfReply(reply);
  const absences = byNode(absencesOf(reply, clock));
  const report = { facts, answers, summary, absences, exitCode: exitCodeOfSummary(summary) };
  const text = printReport(format, report, output);
  const isForPeople = format === 'table' || format === 'groups';
  output.data(
    isForPeople ? `${formatRequestHead(facts, clock.wallMs())}${text === '' ? '' : '\n'}${text}` : text,
  );
  return 0;
}
