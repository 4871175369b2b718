export interface Row {
  readonly name: string;
  readonly floor: string;
  /** Medians over all runs, in milliseconds. */
  readonly oursMs: number;
  readonly floorMs: number;
  /** Median of the ratios, and of the differences, within one run each. */
  readonly ratio: number;
  readonly overMs: number;
  readonly goal: string;
  readonly isGoalMet: boolean;
}

export interface Goal {
  readonly text: string;
  isMet(ratio: number, overMs: number): boolean;
}

export function atMostTimes(most: number): Goal {
  return { text: `at most ${most} times`, isMet: (ratio) => ratio <= most };
}

export function atMostMsOver(most: number): Goal {
  return { text: `at most ${most} ms over`, isMet: (_, overMs) => overMs <= most };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}

export function row(name: string, floor: string, ours: number[], floors: number[], goal: Goal): Row {
  const ratio = median(ours.map((ms, run) => ms / (floors[run] ?? 0)));
  const overMs = median(ours.map((ms, run) => ms - (floors[run] ?? 0)));
  const isGoalMet = goal.isMet(ratio, overMs);
  const medians = { oursMs: median(ours), floorMs: median(floors) };
  return { name, floor, ...medians, ratio, overMs, goal: goal.text, isGoalMet };
}

export async function timed(act: () => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  await act();
  return performance.now() - startedMs;
}

/** The median of many requests, one after the other. */
export async function timeRequests(ask: () => Promise<void>, count: number): Promise<number> {
  const times: number[] = [];
  for (let request = 0; request < count; request += 1) times.push(await timed(ask));
  return median(times);
}

/** Runs each once per run, in an order that changes, so that what slows the machine down slows all of them. */
export async function interleave<Name extends string>(
  runs: number,
  tries: Readonly<Record<Name, () => Promise<number> | number>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(tries) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  for (let run = 0; run < runs; run += 1) {
    const order = [...names.slice(run % names.length), ...names.slice(0, run % names.length)];
    for (const name of order) times[name].push(await tries[name]());
  }
  return times;
}

export function table(rows: readonly Row[]): string {
  const head = ['WHAT', 'AGAINST', 'OURS', 'FLOOR', 'RATIO', 'OVER', 'GOAL', ''];
  const cells = rows.map(({ name, floor, oursMs, floorMs, ratio, overMs, goal, isGoalMet }) => [
    name,
    floor,
    `${oursMs.toFixed(2)} ms`,
    `${floorMs.toFixed(2)} ms`,
    ratio.toFixed(2),
    `${overMs.toFixed(2)} ms`,
    goal,
    isGoalMet ? 'met' : 'missed',
  ]);
  const lines = [head, ...cells];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const format = (line: string[]) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return lines.map((line) => `${format(line).trimEnd()}\n`).join('');
}
