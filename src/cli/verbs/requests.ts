import { ServiceManagerError } from '../../wire/errors.ts';
import { addGlobalOptions } from '../global-options.ts';
import type { Program, Verb } from '../program.ts';
import { newCommand, readCommand, runVerb } from '../verbs.ts';
import { attachRequest } from './requests-attach.ts';
import { cancelRequest } from './requests-cancel.ts';
import { listRequests } from './requests-list.ts';
import { resumeRequest } from './requests-resume.ts';
import { retryRequest } from './requests-retry.ts';
import { showRequest } from './requests-show.ts';

const verbs: readonly Verb[] = [
  {
    name: 'list',
    usage: '[options]',
    summary: 'show the latest requests',
    run: listRequests,
  },
  {
    name: 'show',
    usage: 'ID',
    summary: 'show one request: what became of it at every node',
    run: showRequest,
  },
  {
    name: 'attach',
    usage: 'ID',
    summary: 'print the answers so far and wait for the others',
    run: attachRequest,
  },
  {
    name: 'cancel',
    usage: 'ID',
    summary: 'tell the nodes not to begin, and to end what runs',
    run: cancelRequest,
  },
  {
    name: 'retry',
    usage: 'ID --failed',
    summary: 'send it again to the nodes where it did not go well',
    run: retryRequest,
  },
  {
    name: 'resume',
    usage: 'ID --failed|--remaining',
    summary: 'go on with it, in the same batches',
    run: resumeRequest,
  },
];

function requestsCommand({ deps }: Program) {
  const command = newCommand('service-mgr-client requests', deps.terminal)
    .usage('COMMAND ...')
    .description('Earlier requests, and those that are still open.');
  return addGlobalOptions(command).addHelpText(
    'after',
    `
ID is the id of a request, a beginning of it that no other one shares, or "last"
for the latest one.`,
  );
}

export async function requests(argv: readonly string[], program: Program): Promise<number> {
  const { options, chosen } = readCommand(requestsCommand(program), verbs, argv);
  if (chosen !== undefined) return runVerb(chosen, options, program);
  const names = verbs.map(({ name }) => name).join(', ');
  throw new ServiceManagerError(
    'BAD_USAGE',
    `requests: expected ${names}; see service-mgr-client requests --help`,
  );
}
