import { type Command, Option, type OptionValues } from '@commander-js/extra-typings';
import type { Rollout } from '../client/index.ts';
import { duration, wholeNumber } from '../config/values.ts';
import { ServiceManagerError } from '../wire/errors.ts';
import { Quantity, rolloutOrders } from '../wire/request.ts';
import { onlyGiven, someOf } from './aim-options.ts';
import { fieldFormat } from './field-format.ts';
import { checked } from './global-options.ts';

const group = 'Rollout:';
const dayMs = 86_400_000;

/** The options that make a rollout of a request. */
export function addRolloutOptions<Args extends unknown[], Options extends OptionValues>(
  command: Command<Args, Options>,
): Command<Args, Options & RolloutOptions> {
  command
    .addOption(
      new Option(
        '--batch <count>',
        'one batch after the other, each of so many nodes, or of so many of a hundred',
      )
        .argParser(checked(someOf))
        .helpGroup(group),
    )
    .addOption(
      new Option('--canary <count>', 'begin with so many nodes; it must go well on each of them')
        .argParser(checked(wholeNumber(1, 1_000_000)))
        .helpGroup(group),
    )
    .addOption(
      new Option('--pause <seconds>', 'wait so long between two batches')
        .argParser(checked(duration(0, dayMs)))
        .helpGroup(group),
    )
    .addOption(
      new Option('--max-fail <count>', 'stop when it failed on more nodes than this, in all (default: 0)')
        .argParser(checked(fieldFormat(Quantity)))
        .helpGroup(group),
    )
    .addOption(
      new Option(
        '--max-unreachable <count>',
        'stop when more nodes than this are not there or do not answer (default: 0, without those lost before)',
      )
        .argParser(checked(fieldFormat(Quantity)))
        .helpGroup(group),
    )
    .addOption(
      new Option('--order <order>', 'in which order (default: name)').choices(rolloutOrders).helpGroup(group),
    );
  // As in aim-options.ts: the type in short.
  return command as Command<Args, Options & RolloutOptions>;
}

/** What was given of these options; times in milliseconds. */
export type RolloutOptions = {
  readonly batch?: string | undefined;
  readonly canary?: number | undefined;
  readonly pause?: number | undefined;
  readonly maxFail?: string | undefined;
  readonly maxUnreachable?: string | undefined;
  readonly order?: Rollout['order'] | undefined;
};

const flags: ReadonlyArray<readonly [keyof RolloutOptions, string]> = [
  ['pause', '--pause'],
  ['maxFail', '--max-fail'],
  ['maxUnreachable', '--max-unreachable'],
  ['order', '--order'],
];

/**
 * The rollout that the options ask for, on top of an earlier one that is repeated; undefined: none. A canary alone is
 * followed by all the rest at once. Throws BAD_USAGE for other options without a batch.
 */
export function rolloutOf(options: RolloutOptions, earlier?: Rollout): Rollout | undefined {
  const { canary, pause: pauseMs, maxFail, maxUnreachable, order } = options;
  const batch = options.batch ?? earlier?.batch ?? (canary === undefined ? undefined : '100%');
  if (batch !== undefined)
    return { ...earlier, ...onlyGiven({ canary, pauseMs, maxFail, maxUnreachable, order }), batch };
  const alone = flags.find(([name]) => options[name] !== undefined);
  if (alone === undefined) return undefined;
  throw new ServiceManagerError(
    'BAD_USAGE',
    `option ${alone[1]} without --batch or --canary, expected one of them`,
  );
}
