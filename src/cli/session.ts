import { ServiceManager } from '../client/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Terminal } from '../platform/terminal.ts';
import { configOf, type GlobalOptions } from './global-options.ts';
import type { Output } from './output.ts';
import type { MainDeps, Program } from './program.ts';
import { Window } from './window.ts';

/** A manager to talk to, and how long. */
export interface Session {
  readonly manager: ServiceManager;
  readonly output: Output;
  readonly terminal: Terminal;
  readonly clock: Clock;
  /** Ctrl-C. */
  readonly interrupted: AbortSignal;
  /** Ctrl-C, or the end of the window where there is one. */
  readonly ended: AbortSignal;
  /** It began with the program. */
  readonly window: Window;
  /** What a batch of a rollout has, if the user says so. */
  readonly batchWindowMs: number | undefined;
  /** What changes services on more nodes than this is confirmed first. */
  readonly confirmAbove: number;
  /** To be put behind a command that is to reach the same managers. */
  readonly attachOptions: string;
  debug(text: string): void;
}

/** Whether a session ends with its window. `when-given`: only if there is a `-w`. */
export type Bound = 'always' | 'when-given';

/** Resolves with what `run` does, and closes what was opened. */
export async function withSession(
  program: Program,
  own: GlobalOptions,
  bound: Bound,
  run: (session: Session) => Promise<number>,
): Promise<number> {
  const { deps, output } = program;
  const { interrupted, terminal } = deps;
  const options = { ...program.given, ...own };
  const config = configOf(options, deps.files);
  const questions = new AbortController();
  const signal = AbortSignal.any([interrupted, questions.signal]);
  await using manager = new ServiceManager({ ...config, signal }, deps.client);
  const { clock } = manager;
  const window = new Window(clock, startOf(deps), config.windowMs);
  window.questionsEnded.addEventListener('abort', () => questions.abort(), { once: true });
  if (bound === 'always' || options.waitTime !== undefined) window.start();
  const debug = (text: string): void => {
    if (options.debug === true) output.message(`service-mgr-client: ${text}`);
  };
  debug(`managers ${config.endpoints.join(', ')}; window ${config.windowMs / 1_000} s`);
  const attachOptions =
    options.endpoint === undefined && options.config === undefined ? '' : ` -e ${config.endpoints.join(',')}`;
  const ended = AbortSignal.any([interrupted, window.ended]);
  const { confirmAbove } = config;
  const { waitTime: batchWindowMs } = options;
  try {
    return await run({
      ...{ manager, output, terminal, clock, interrupted, ended, window, batchWindowMs },
      ...{ confirmAbove, attachOptions, debug },
    });
  } finally {
    window.stop();
  }
}

/** Programs that bring a clock of their own begin now. */
function startOf({ startedMs, client }: MainDeps): number {
  return startedMs ?? client?.clock.now() ?? 0;
}
