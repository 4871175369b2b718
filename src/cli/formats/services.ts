import { createColors } from 'picocolors';
import { type Answer, isServiceAnswer, type ListedService } from '../../wire/result.ts';
import { layoutOf, lineOf, padded } from './columns.ts';
import { printable } from './printable.ts';

/** What a node said when it was asked for all of its services. */
export interface ServiceList {
  readonly node: string;
  readonly services: readonly ListedService[];
}

/** Undefined for every other answer. */
export function serviceListOf(answer: Answer): ServiceList | undefined {
  if (!isServiceAnswer(answer)) return undefined;
  const { node, services } = answer.result;
  return services === undefined || services.length === 0 ? undefined : { node, services };
}

/** One line for each service of each node. */
export function formatServices(lists: readonly ServiceList[], isColor: boolean): string {
  const rows = lists.flatMap(({ node, services }) =>
    services.map(({ service, state }) => [printable(node), printable(service), state]),
  );
  const layout = layoutOf(['NODE', 'SERVICE', 'STATE'], rows);
  const { green, red } = createColors(isColor);
  const lines = rows.map((row) => {
    const [node = '', service = '', state = ''] = padded(layout, row);
    const word = state.trimEnd();
    const paint = word === 'running' ? green : word === 'failed' ? red : String;
    return lineOf([node, service, paint(word)]);
  });
  return [lineOf(padded(layout, layout.head)), ...lines].join('');
}
