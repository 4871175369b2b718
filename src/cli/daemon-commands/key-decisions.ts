import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { duration } from '../../config/values.ts';
import { KeyList, type KeyState, keyStates, RotationInfo } from '../../wire/admin.ts';
import type { Choose, DaemonContext } from '../daemon-context.ts';
import type { ManagerHome } from '../daemon-home.ts';
import { formatKeysJson, formatKeysTable, keyLine } from '../formats/keys.ts';
import { checked } from '../global-options.ts';
import { addLeaf } from '../subcommands.ts';
import { rfc3339, span } from '../times.ts';

const dayMs = 86_400_000;
const usualOverlapMs = 7 * dayMs;

const decisions = [
  { name: 'accept', done: 'accepted', says: 'let a key in that waits for a decision' },
  { name: 'reject', done: 'rejected', says: 'refuse a key that waits for a decision' },
  {
    name: 'revoke',
    done: 'revoked',
    says: 'shut a key out from the next request on; its name stays reserved until the key is removed',
  },
  { name: 'remove', done: 'removed', says: 'forget a key that may not come in, and set its name free' },
] as const;

/** Commands to a running manager about the keys that it knows. */
export function addKeyDecisions(keys: CommandUnknownOpts, choose: Choose<ManagerHome>): void {
  addLeaf(keys, 'list', 'show the keys of agents and people that the manager knows')
    .addOption(new Option('--state <state>', 'only those in this state').choices(keyStates))
    .addOption(
      new Option('--format <format>', 'how to print them')
        .choices(['table', 'json'] as const)
        .default('table' as const),
    )
    .action(({ state, format }) => choose((context) => listKeys(state, format, context)));
  for (const { name, done, says } of decisions) {
    addLeaf(keys, name, says)
      .argument('<fingerprint>', 'that of the key, or its first 8 characters behind SHA256: or more of them')
      .action((fingerprint) => choose((context) => decide(name, done, fingerprint, context)));
  }
  addLeaf(
    keys,
    'rotate',
    'begin with a new key of the manager, which takes the place of the present one later',
  )
    .option(
      '--overlap <time>',
      'how long everybody has to learn the new key (default: 7d)',
      checked(duration(0, 366 * dayMs)),
    )
    .addHelpText(
      'after',
      `
Agents and clients that talk to the manager before that time learn the new key by
themselves. Whoever was away all the time has to join again; with less than a
minute, that may be somebody who is connected, too.`,
    )
    .action(({ overlap }) => choose((context) => rotate(overlap ?? usualOverlapMs, context)));
}

async function listKeys(
  state: KeyState | undefined,
  format: 'table' | 'json',
  { management, output, deps, program }: DaemonContext<ManagerHome>,
): Promise<number> {
  const { keys } = await management.askFor({ cmd: 'manager.keys.list' }, KeyList);
  const wanted = keys.filter((key) => state === undefined || key.state === state);
  output.data(format === 'json' ? formatKeysJson(wanted) : formatKeysTable(wanted, deps.clock.wallMs()));
  if (wanted.length === 0) output.message(`${program}: no key is ${state ?? 'known'}`);
  return 0;
}

async function decide(
  command: string,
  done: string,
  fingerprint: string,
  { management, output }: DaemonContext<ManagerHome>,
): Promise<number> {
  const { keys } = await management.askFor(
    { cmd: `manager.keys.${command}`, args: { fingerprint } },
    KeyList,
  );
  for (const key of keys) output.message(keyLine(done, key));
  return 0;
}

async function rotate(
  overlapMs: number,
  { management, output }: DaemonContext<ManagerHome>,
): Promise<number> {
  const command = { cmd: 'manager.keys.rotate', args: { overlapMs } };
  const { fingerprint, nextFingerprint, switchesMs } = await management.askFor(command, RotationInfo);
  output.message(
    `the key of the manager is ${fingerprint} until ${rfc3339(switchesMs)} (${span(overlapMs)})`,
  );
  output.message(`then it is ${nextFingerprint}; whoever talks to the manager before learns that by himself`);
  return 0;
}
