import { defaultDeadlineMs, type Exit, Program, type ProgramOptions } from './program.ts';

export interface Ended extends Exit {
  readonly stdout: string;
  readonly stderr: string;
  readonly elapsedMs: number;
}

const running = new Set<Program>();
const cleanUpSteps: Array<() => Promise<void> | void> = [];

process.once('exit', () => {
  for (const program of running) program.signal('SIGKILL');
});

/** Starts a program with captured output. `cleanUp()` ends it at the latest. */
export function startProgram(name: string, args: readonly string[], options: ProgramOptions = {}): Program {
  const program = new Program(name, args, options);
  running.add(program);
  void program.exited.then(() => running.delete(program));
  return program;
}

/** Runs a program to its end; kills it and throws, with its output, when it has not ended by the deadline. */
export async function runProgram(
  name: string,
  args: readonly string[],
  options: ProgramOptions & { readonly deadlineMs?: number } = {},
): Promise<Ended> {
  const program = startProgram(name, args, options);
  const exit = await program.waitForExit(options.deadlineMs ?? defaultDeadlineMs).catch(async (error) => {
    await program.kill();
    throw error;
  });
  return { ...exit, stdout: program.stdout, stderr: program.stderr, elapsedMs: program.elapsedMs };
}

/** Has `cleanUp()` do one thing more, before everything that was registered earlier. */
export function onCleanUp(step: () => Promise<void> | void): void {
  cleanUpSteps.push(step);
}

/** For `afterEach`: ends every program that was started, then undoes all else, last first. Safe to call twice. */
export async function cleanUp(): Promise<void> {
  await Promise.all(Array.from(running, (program) => program.end()));
  const failures: unknown[] = [];
  for (let step = cleanUpSteps.pop(); step !== undefined; step = cleanUpSteps.pop()) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
