import { ServiceManager } from '../client/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Terminal } from '../platform/terminal.ts';
import { onlyGiven } from './aim-options.ts';
import { identityOf, missingIdentityOf } from './client-identity.ts';
import { configOf, type GlobalOptions } from './global-options.ts';
import type { Output } from './output.ts';
import type { Program } from './program.ts';
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
  const tell = (text: string): void => output.message(`service-mgr-client: ${text}`);
  const identity = identityOf(config, deps, tell);
  const missingIdentity = identity === undefined ? missingIdentityOf(config, deps) : undefined;
  const client = { ...deps.openClient(), identity, missingIdentity };
  const { clock } = client;
  const window = new Window(clock, deps.startedMs ?? clock.now(), config.windowMs);
  const questions = new AbortController();
  const signal = AbortSignal.any([interrupted, questions.signal]);
  const { endpoints: wanted, timeoutMs, retries } = config;
  await using manager = new ServiceManager(
    { ...onlyGiven({ endpoints: wanted }), timeoutMs, retries, signal },
    client,
  );
  window.questionsEnded.addEventListener('abort', () => questions.abort(), { once: true });
  if (bound === 'always' || options.waitTime !== undefined) window.start();
  const debug = (text: string): void => {
    if (options.debug === true) tell(text);
  };
  const endpoints = manager.endpoints.join(',');
  const who = identity === undefined ? '' : `; as ${identity.name}`;
  debug(`managers ${endpoints.replaceAll(',', ', ')}; window ${config.windowMs / 1_000} s${who}`);
  const isElsewhere = options.endpoint !== undefined || options.config !== undefined;
  const attachOptions = isElsewhere ? ` -e ${endpoints}` : '';
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
