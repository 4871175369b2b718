/** With LONG=1 the same tests run as often as it takes to see what happens once in a hundred times. */
export const isLong = process.env['LONG'] === '1';

/** How often something is tried: in every test run, and with LONG=1. */
export function often(usually: number, long: number): number {
  return isLong ? long : usually;
}

/** What one round found out. */
export interface Round {
  /** Answers that were owed. */
  readonly answers: number;
  /** Of which nodes neither the client nor the history has one. */
  readonly lost: readonly string[];
  /** Which nodes acted more than once. */
  readonly twice: readonly string[];
  /** Times in milliseconds, by what was measured. */
  readonly times: Readonly<Record<string, number>>;
}

type Play<Lane> = (round: number, lane: Lane) => Promise<Round>;

/**
 * Plays so many rounds, one after the other in each lane (an independent fleet) and side by side in several. A round
 * that fails does not keep the others from being played; all failures are told at the end, behind the line that sums
 * all rounds up. Rejects when a round failed, lost an answer or ran something twice.
 */
export async function playRounds<Lane>(
  name: string,
  total: number,
  lanes: readonly Lane[],
  play: Play<Lane>,
): Promise<void> {
  const begunMs = performance.now();
  const played: Round[] = [];
  const failures: string[] = [];
  let next = 0;
  const playLane = async (lane: Lane): Promise<void> => {
    for (let round = next++; round < total; round = next++) {
      const { result, failure } = await outcomeOf(play, round, lane);
      if (result !== undefined) played.push(result);
      if (failure === undefined) continue;
      failures.push(`round ${round}: ${failure}`);
      say(`      ${name}: round ${round} failed: ${failure}`);
    }
  };
  await Promise.all(lanes.map(playLane));
  say(`      ${summaryOf(name, total, played, failures.length, performance.now() - begunMs)}`);
  if (failures.length > 0)
    throw new Error(`${failures.length} of ${total} rounds failed:\n${failures.join('\n')}`);
}

/** From 0 up to `upTo`, evenly over the rounds, however many there are. */
export function spread(round: number, upTo: number): number {
  const goldenRatio = 0.618034;
  return ((round * goldenRatio) % 1) * upTo;
}

/** A line among those of the test reporter. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** `median 12 p95 30 max 31 ms of 20`. */
export function spreadOf(values: readonly number[]): string {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number) => (sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN).toFixed(0);
  return `median ${at(0.5)} p95 ${at(0.95)} max ${at(1)} ms of ${sorted.length}`;
}

async function outcomeOf<Lane>(
  play: Play<Lane>,
  round: number,
  lane: Lane,
): Promise<{ result?: Round; failure?: string }> {
  try {
    const result = await play(round, lane);
    const wrong = [
      ...result.lost.map((node) => `the answer of ${node} is lost`),
      ...result.twice.map((node) => `${node} acted twice`),
    ];
    return wrong.length === 0 ? { result } : { result, failure: wrong.join(', ') };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

function summaryOf(
  name: string,
  total: number,
  played: readonly Round[],
  failed: number,
  ms: number,
): string {
  const sum = (count: (round: Round) => number) => played.reduce((all, round) => all + count(round), 0);
  const measured = new Map<string, number[]>();
  for (const { times } of played) {
    for (const [what, time] of Object.entries(times))
      measured.set(what, [...(measured.get(what) ?? []), time]);
  }
  return [
    `${name}: ${total} rounds in ${(ms / 1_000).toFixed(1)} s, ${failed} failed`,
    `${sum(({ answers }) => answers)} answers owed`,
    `${sum(({ lost }) => lost.length)} lost`,
    `${sum(({ twice }) => twice.length)} run twice`,
    ...Array.from(measured, ([what, times]) => `${what} ${spreadOf(times)}`),
  ].join('; ');
}
