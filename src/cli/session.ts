import { ServiceManager } from '../client/index.ts';
import type { Clock } from '../platform/clock.ts';
import { configOf, type GlobalOptions } from './global-options.ts';
import type { Output } from './output.ts';
import type { MainDeps, Program } from './program.ts';

/** A manager to talk to, and how long. */
export interface Session {
  readonly manager: ServiceManager;
  readonly output: Output;
  readonly clock: Clock;
  /** Ctrl-C. */
  readonly interrupted: AbortSignal;
  /** Ctrl-C, or the end of the window where there is one. */
  readonly ended: AbortSignal;
  /** Whole milliseconds of the window that are left: it began with the program. */
  remainingMs(): number;
  /** To be put behind a command that is to reach the same managers. */
  readonly attachOptions: string;
  debug(text: string): void;
}

/** Whether a session ends with its window. `when-given`: only if there is a `-w`. */
export type Bound = 'always' | 'when-given';

// With less than this no manager could even reply.
const leastWindowMs = 50;
// Questions that are asked when the window has ended.
const lastWordMs = 150;

/** Resolves with what `run` does, and closes what was opened. */
export async function withSession(
  program: Program,
  own: GlobalOptions,
  bound: Bound,
  run: (session: Session) => Promise<number>,
): Promise<number> {
  const { deps, output } = program;
  const { interrupted } = deps;
  const options = { ...program.given, ...own };
  const config = configOf(options, deps.files);
  const [window, questions] = [new AbortController(), new AbortController()];
  const signal = AbortSignal.any([interrupted, questions.signal]);
  await using manager = new ServiceManager({ ...config, signal }, deps.client);
  const { clock } = manager;
  const endMs = startOf(deps) + config.windowMs;
  const remainingMs = (): number => Math.max(leastWindowMs, Math.floor(endMs - clock.now()));
  const isBounded = bound === 'always' || options.waitTime !== undefined;
  const timers = isBounded
    ? [
        clock.after(remainingMs(), 'window', () => window.abort()),
        clock.after(remainingMs() + lastWordMs, 'last word', () => questions.abort()),
      ]
    : [];
  const debug = (text: string): void => {
    if (options.debug === true) output.message(`service-mgr-client: ${text}`);
  };
  debug(`managers ${config.endpoints.join(', ')}; window ${config.windowMs / 1_000} s`);
  const attachOptions =
    options.endpoint === undefined && options.config === undefined ? '' : ` -e ${config.endpoints.join(',')}`;
  const ended = AbortSignal.any([interrupted, window.signal]);
  try {
    return await run({
      manager,
      output,
      clock,
      interrupted,
      ended,
      remainingMs,
      attachOptions,
      debug,
    });
  } finally {
    for (const cancel of timers) cancel();
  }
}

/** Programs that bring a clock of their own begin now. */
function startOf({ startedMs, client }: MainDeps): number {
  return startedMs ?? client?.clock.now() ?? 0;
}
