import type { Clock } from '../platform/clock.ts';
import type { OnOutput } from '../platform/processes.ts';
import type { Provider, ProviderResult } from '../provider/provider.ts';
import { type ErrorCode, isServiceManagerError } from '../wire/errors.ts';
import type { ServiceName } from '../wire/fields.ts';
import type { RequestBody } from '../wire/request.ts';
import type { Answer, Health } from '../wire/result.ts';
import type { Answers } from './answers.ts';
import type { HealthChecks } from './health.ts';

export interface TasksOptions {
  readonly provider: Provider;
  readonly clock: Clock;
  readonly health: HealthChecks;
  readonly answers: Answers;
  /** The closed list. */
  readonly actions: ReadonlySet<string>;
  /** Limit of each action; a request may ask for a shorter one. */
  readonly actionTimeoutMs: number;
  /** Actions running or waiting at most. */
  readonly maxTasks: number;
}

/** What the one who hands a task in wants to know and do. */
export interface TaskHooks {
  /** Called right before the action starts. When it throws a ServiceManagerError, that is the answer. */
  begin(): void;
  /** Aborted: a waiting task does not start, a running one is ended. */
  readonly signal: AbortSignal;
  /** Gets what the action prints, as it comes. */
  readonly onOutput?: OnOutput;
}

interface Task extends TaskHooks {
  readonly body: RequestBody;
  readonly answer: (answer: Answer) => void;
  readonly conclusion: AbortController;
  isRunning: boolean;
}

/**
 * Actions of one service run one after the other, in order of arrival; different services don't wait for each other.
 * A bundle and its members count as one service, and so do the names of one service.
 */
export class Tasks {
  readonly #options: TasksOptions;
  /** The end of the last task of each service name that has one. */
  readonly #lastOfService = new Map<string, Promise<unknown>>();
  readonly #tasks = new Set<Task>();
  #isStopping = false;

  constructor(options: TasksOptions) {
    this.#options = options;
  }

  /** Actions running or waiting. */
  get count(): number {
    return this.#tasks.size;
  }

  /** True when the next action of this service would have to wait. */
  isBusy(service: ServiceName): boolean {
    return this.#namesOf(service).some((name) => this.#lastOfService.has(name));
  }

  /** Resolves with the answer, whatever happens; rejects only for a bug of ours. */
  run(body: RequestBody, hooks: TaskHooks): Promise<Answer> {
    const { signal } = hooks;
    const refusal = this.#refusal(body);
    if (refusal !== undefined) return Promise.resolve(this.#trouble(body, refusal.code, refusal.reason));
    return new Promise((answer, fail) => {
      const task = { ...hooks, body, answer, conclusion: new AbortController(), isRunning: false };
      this.#tasks.add(task);
      signal.addEventListener('abort', () => this.#cancelled(task), { once: true });
      if (signal.aborted) this.#cancelled(task);
      this.#queue(task).catch(fail);
    });
  }

  /** Takes no new task, refuses those that wait, and resolves when those that run are done. */
  async drain(): Promise<void> {
    this.#isStopping = true;
    for (const task of this.#tasks) {
      if (!task.isRunning) task.answer(this.#trouble(task.body, 'SHUTTING_DOWN', 'the agent is stopping'));
    }
    await Promise.all(this.#lastOfService.values());
  }

  /** Has those whose action has ended answer at once with what is known, instead of looking what becomes of it. */
  conclude(): void {
    for (const { conclusion } of this.#tasks) conclusion.abort();
  }

  /** Answers for what still runs. It is left alone: an action cut short may harm the service. */
  interrupt(): void {
    for (const { body, answer } of this.#tasks) {
      const reason = `the agent stopped while ${body.service} ${body.cmd} was running; it was left alone`;
      answer(this.#trouble(body, 'INTERRUPTED', reason));
    }
  }

  #trouble({ id }: RequestBody, code: ErrorCode, reason: string): Answer {
    return this.#options.answers.trouble(id, code, reason);
  }

  #refusal({ cmd, health }: RequestBody): { code: ErrorCode; reason: string } | undefined {
    if (this.#isStopping) return { code: 'SHUTTING_DOWN', reason: 'the agent is stopping' };
    if (!this.#options.actions.has(cmd)) {
      const known = [...this.#options.actions].join(', ');
      return {
        code: 'ACTION_NOT_ALLOWED',
        reason: `action "${cmd}" is not allowed, expected one of ${known}`,
      };
    }
    const unknownCheck = health === undefined ? undefined : this.#options.health.refusal(health);
    if (unknownCheck !== undefined) return { code: 'ACTION_NOT_ALLOWED', reason: unknownCheck };
    if (this.count < this.#options.maxTasks) return undefined;
    return {
      code: 'TOO_BUSY',
      reason: `${this.count} actions are running or waiting already; try again later`,
    };
  }

  #cancelled({ body, answer, isRunning }: Task): void {
    if (isRunning) return;
    answer(this.#trouble(body, 'CANCELLED', `${body.service} ${body.cmd} was cancelled before it started`));
  }

  #namesOf(service: ServiceName): readonly ServiceName[] {
    return this.#options.provider.namesOf?.(service) ?? [service];
  }

  async #queue(task: Task): Promise<void> {
    try {
      while (!(await this.#takeTurn(task)));
    } finally {
      this.#tasks.delete(task);
    }
  }

  /** Waits only for tasks that came before it, so no two can wait for each other. False: it has to wait for more. */
  async #takeTurn(task: Task): Promise<boolean> {
    const names = this.#namesOf(task.body.service);
    const earlier = names.flatMap((name) => this.#lastOfService.get(name) ?? []);
    const turn = Promise.all(earlier).then(
      () => this.#hasAll(names, task) && this.#carryOut(task).then(() => true),
    );
    for (const name of names) this.#lastOfService.set(name, turn);
    try {
      return await turn;
    } finally {
      for (const name of names) if (this.#lastOfService.get(name) === turn) this.#lastOfService.delete(name);
    }
  }

  /** Aliases and bundles may have been configured anew while the task waited. */
  #hasAll(names: readonly ServiceName[], { body, signal }: Task): boolean {
    if (this.#isStopping || signal.aborted) return true;
    return this.#namesOf(body.service).every((name) => names.includes(name));
  }

  async #carryOut(task: Task): Promise<void> {
    const { body, begin, signal, answer } = task;
    // It was answered when the agent began to stop, or when it was cancelled.
    if (this.#isStopping || signal.aborted) return;
    task.isRunning = true;
    try {
      begin();
      answer(await this.#act(task));
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      answer(this.#trouble(body, error.code, error.message));
    }
  }

  async #act({ body, signal, conclusion, onOutput }: Task): Promise<Answer> {
    const conclude = conclusion.signal;
    const { provider, answers, clock, actionTimeoutMs } = this.#options;
    const timeoutMs = Math.min(actionTimeoutMs, body.timeoutMs ?? actionTimeoutMs);
    const endsMs = clock.now() + timeoutMs;
    const { settleMs } = body;
    const given = {
      ...(settleMs === undefined ? {} : { settleMs }),
      ...(onOutput === undefined ? {} : { onOutput }),
    };
    const run = await provider.run(body.service, body.cmd, { timeoutMs, signal, conclude, ...given });
    if (run.aborted) {
      const reason = `${body.service} ${body.cmd} was cancelled while it was running${membersOf(run)}`;
      return this.#trouble(body, 'CANCELLED', reason);
    }
    const health = await this.#health(body, run, endsMs, AbortSignal.any([signal, conclude]));
    return answers.done(body, run, timeoutMs, health);
  }

  /** Of an action that did not go well, the health is not looked at. */
  async #health(
    { health }: RequestBody,
    { exitCode, timedOut, verification }: ProviderResult,
    endsMs: number,
    signal: AbortSignal,
  ): Promise<Health | undefined> {
    if (health === undefined || timedOut || exitCode !== 0 || verification?.isVerified === false)
      return undefined;
    return this.#options.health.check(health, { endsMs, signal });
  }
}

/** How far a bundle had come: `: db ok, app cancelled`. */
function membersOf({ members = [] }: ProviderResult): string {
  const said = members.map(
    ({ service, outcome, isRollback }) => `${service} ${isRollback === true ? 'roll-back ' : ''}${outcome}`,
  );
  return said.length === 0 ? '' : `: ${said.join(', ')}`;
}
