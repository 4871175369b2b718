import { closeSync, openSync } from 'node:fs';
import { type DestinationStream, type Logger, pino } from 'pino';
import { ServiceManagerError } from '../../wire/errors.ts';
import type { LogFields, LogLevel, OpenLog } from '../log.ts';

export interface LogOptions {
  /** The program's name, in every line. */
  readonly name: string;
  /** Made, with its folder, when missing. Without it the lines go to standard error. */
  readonly file?: string | undefined;
  readonly debug: boolean;
}

type Destination = ReturnType<typeof pino.destination>;

const stderr = 2;
/** Lines kept in memory while they cannot be written; then the newest are lost. */
const longestBacklogBytes = 1024 * 1024;
/** A chain of causes may bite its own tail. */
const longestCauseChain = 5;
const ownNames: readonly string[] = ['level', 'time', 'name', 'event'];

/** Throws BAD_CONFIG when the file cannot be written. */
export function openLog(options: LogOptions): NodeLog {
  return new NodeLog(options);
}

/** One JSON object a line. Each line is written before the call returns, so that a crash loses none. */
export class NodeLog implements OpenLog {
  readonly #file: string | undefined;
  readonly #isDebug: boolean;
  readonly #destination: Destination;
  readonly #logger: Logger;
  #isClosed = false;

  constructor({ name, file, debug }: LogOptions) {
    this.#file = file;
    this.#isDebug = debug;
    this.#destination = openDestination(file);
    this.#logger = openLogger(name, debug, this.#destination);
  }

  debug(event: string, fields?: LogFields): void {
    this.#write('debug', event, fields);
  }

  info(event: string, fields?: LogFields): void {
    this.#write('info', event, fields);
  }

  warn(event: string, fields?: LogFields): void {
    this.#write('warn', event, fields);
  }

  error(event: string, fields?: LogFields): void {
    this.#write('error', event, fields);
  }

  setLevel(level: LogLevel): void {
    if (!this.#isDebug) this.#logger.level = level;
  }

  reopen(): void {
    if (this.#file === undefined || this.#isClosed) return;
    requireWritable(this.#file);
    this.#destination.reopen();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#file !== undefined) this.#destination.destroy();
  }

  #write(level: LogLevel, event: string, fields: LogFields = {}): void {
    if (this.#isClosed || !this.#logger.isLevelEnabled(level)) return;
    this.#logger[level]({ event, ...plainFields(fields, this.#isDebug) });
  }
}

function openLogger(name: string, debug: boolean, destination: DestinationStream): Logger {
  const options = {
    level: debug ? 'debug' : 'info',
    base: { name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level: string) => ({ level }) },
  };
  return pino(options, destination);
}

function openDestination(file: string | undefined): Destination {
  const destination = open(file);
  // A full disk, or a standard error that nobody reads, must not end a daemon or make it wait.
  destination.on('error', () => {});
  return destination;
}

function open(file: string | undefined): Destination {
  const options = { sync: true, retryEAGAIN: () => false, maxLength: longestBacklogBytes };
  if (file === undefined) return pino.destination({ ...options, dest: stderr });
  try {
    return pino.destination({ ...options, dest: file, mkdir: true, mode: 0o640 });
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

/** The destination itself does not survive a reopening that fails: it would close the next file's descriptor later. */
function requireWritable(file: string): void {
  try {
    closeSync(openSync(file, 'a', 0o640));
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

function cannotWrite(file: string, cause: unknown): ServiceManagerError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ServiceManagerError('BAD_CONFIG', `the log file ${file} cannot be written: ${reason}`, {
    cause,
  });
}

/** No field can pass for the time, level, name or event of its line. */
function plainFields(fields: LogFields, withStacks: boolean): Record<string, unknown> {
  const entries = Object.entries(fields).map(([name, value]): [string, unknown] => [
    ownNames.includes(name) ? `field.${name}` : name,
    value instanceof Error ? plainError(value, withStacks) : value,
  ]);
  return Object.fromEntries(entries);
}

function plainError(error: Error, withStack: boolean, depth = 1): Record<string, unknown> {
  const { cause } = error;
  return {
    message: error.message,
    ...('code' in error && { code: error.code }),
    ...(cause instanceof Error &&
      depth < longestCauseChain && { cause: plainError(cause, withStack, depth + 1) }),
    ...(withStack && { stack: error.stack }),
  };
}
