import type { Command, OptionValues } from '@commander-js/extra-typings';
import { Option } from '@commander-js/extra-typings';
import type { Order } from '../client/index.ts';
import { wholeNumber } from '../config/values.ts';
import { ServiceManagerError } from '../wire/errors.ts';
import { Target } from '../wire/fields.ts';
import { PlanToken, Quantity } from '../wire/request.ts';
import { fieldFormat } from './field-format.ts';
import { checked } from './global-options.ts';

const group = 'Whom it reaches:';

/** A number or a percentage that is not nothing. */
export const someOf = {
  expected: 'a number from 1 on, or a percentage such as 25%',
  parse: (text: string) => (/^0+%?$/.test(text) ? undefined : fieldFormat(Quantity).parse(text)),
};

/** The options that narrow and check whom a request is aimed at. */
export function addAimOptions<Args extends unknown[], Options extends OptionValues>(
  command: Command<Args, Options>,
): Command<Args, Options & AimOptions> {
  command
    .addOption(
      new Option('-x, --exclude <target>', 'but not these; written as a target of -T')
        .argParser(checked(fieldFormat(Target)))
        .helpGroup(group),
    )
    .addOption(
      new Option('--limit <count>', 'only so many of them, or so many of a hundred (25%)')
        .argParser(checked(someOf))
        .helpGroup(group),
    )
    .addOption(
      new Option(
        '--seed <number>',
        'for --limit and --order random; the same number, the same nodes (default: 0)',
      )
        .argParser(checked(wholeNumber(0, 2 ** 32 - 1)))
        .helpGroup(group),
    )
    .addOption(
      new Option('--expect <count>', 'refuse it (65) when it is aimed at another number of nodes')
        .argParser(checked(wholeNumber(0, 1_000_000)))
        .helpGroup(group),
    )
    .addOption(
      new Option('--dry-run', 'show whom it would reach and a token of that plan; run nothing').helpGroup(
        group,
      ),
    )
    .addOption(
      new Option('--plan <token>', 'run exactly that plan of --dry-run, or refuse it (65)')
        .argParser(checked(fieldFormat(PlanToken)))
        .helpGroup(group),
    )
    .addOption(new Option('-y, --yes', 'do not ask whether it may run').helpGroup(group));
  // The type that commander would make of so many options takes a compiler minutes to write down.
  return command as Command<Args, Options & AimOptions>;
}

/** What was given of these options. (No interface: commander asks for a type that is open.) */
export type AimOptions = {
  readonly exclude?: string | undefined;
  readonly limit?: string | undefined;
  readonly seed?: number | undefined;
  readonly expect?: number | undefined;
  readonly plan?: string | undefined;
  readonly dryRun?: true | undefined;
  readonly yes?: true | undefined;
};

/**
 * What the options say of an order. Throws BAD_USAGE for a seed that chooses nothing and shuffles nothing, and for a plan
 * that is to be made and carried out.
 */
export function aimOf({ exclude, limit, seed, expect, plan, dryRun }: AimOptions, isShuffled: boolean) {
  if (dryRun === true && plan !== undefined)
    throw new ServiceManagerError(
      'BAD_USAGE',
      'options --dry-run and --plan stand together, expected one of them',
    );
  if (seed !== undefined && limit === undefined && !isShuffled)
    throw new ServiceManagerError(
      'BAD_USAGE',
      'option --seed without --limit or --order random, expected one of them',
    );
  const aim = { exclude, limit, seed, expect, plan };
  return onlyGiven(aim) satisfies Partial<Order>;
}

type Given<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

/** The fields that have a value. */
export function onlyGiven<Fields extends object>(fields: Fields): Given<Fields> {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Given<Fields>;
}
