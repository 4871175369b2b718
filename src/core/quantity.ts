import { ServiceManagerError } from '../wire/errors.ts';

/**
 * How a percentage becomes a number of nodes: rounded down, and where nothing would be left of a percentage above 0,
 * `at-least-one` is one. So 10 % of 5 nodes are one node to be asked, and no failure to be put up with.
 */
export type Rounding = 'at-least-one' | 'down';

/**
 * The number that `N` or `N%` means out of a total, never more than the total. 0 and 0% are 0 with either rounding:
 * a caller that needs at least one has to refuse them. Throws BAD_USAGE for anything else than N or N%.
 */
export function resolveQuantity(text: string, total: number, rounding: Rounding): number {
  const [, digits, percent] = /^(\d{1,7})(%?)$/.exec(text) ?? [];
  const number = Number(digits);
  if (digits === undefined || (percent === '%' && number > 100))
    throw new ServiceManagerError(
      'BAD_USAGE',
      `quantity "${text}": expected a number or a percentage such as 25%`,
    );
  if (percent !== '%') return Math.min(number, total);
  const share = Math.floor((total * number) / 100);
  return share === 0 && number > 0 && rounding === 'at-least-one' ? Math.min(1, total) : share;
}
