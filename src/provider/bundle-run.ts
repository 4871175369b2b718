import type { ActionName, ServiceName } from '../wire/fields.ts';
import type { MemberResult } from '../wire/result.ts';
import type { Bundle } from './bundle.ts';
import { isOk, notRunning, restarted, running, untried } from './bundle-member.ts';
import type { BundleTurns } from './bundle-turns.ts';

type Turn = (service: ServiceName) => Promise<MemberResult>;

const start = 'start' as ActionName;
const stop = 'stop' as ActionName;

/** One action on one bundle: who has its turn when, and what becomes of the others when one fails. */
export class BundleRun {
  readonly #services: readonly ServiceName[];
  readonly #stopOnError: boolean | undefined;
  readonly #action: ActionName;
  readonly #turns: BundleTurns;
  readonly #members: MemberResult[] = [];

  constructor({ services, stopOnError }: Bundle, action: ActionName, turns: BundleTurns) {
    this.#services = services;
    this.#stopOnError = stopOnError;
    this.#action = action;
    this.#turns = turns;
  }

  /** What became of each member, in the order of their turns; roll-backs come last. */
  async members(): Promise<readonly MemberResult[]> {
    switch (this.#action) {
      case 'start':
        await this.#start();
        break;
      case 'stop':
        await this.#inTurn(this.#services.toReversed(), this.#act, this.#stopOnError === true);
        break;
      case 'restart':
        await this.#restart(new Map());
        break;
      case 'try-restart':
      case 'condrestart':
        await this.#restartWhatRuns();
        break;
      case 'status':
        await this.#inTurn(this.#services, this.#act, false);
        break;
      default:
        await this.#inTurn(this.#services, this.#act, this.#endsOnError);
    }
    return this.#members;
  }

  get #endsOnError(): boolean {
    return this.#stopOnError !== false;
  }

  readonly #act: Turn = (service) => this.#turns.act(service, this.#action);

  async #start(): Promise<void> {
    const tried = new Map<ServiceName, MemberResult>();
    const turn: Turn = async (service) => {
      const before = await this.#turns.stateOf(service);
      if (before === 'running') return running(service, this.#action);
      const member = await this.#turns.act(service, start);
      // What may have been running before is not ours to stop.
      if (before !== 'unknown') tried.set(service, member);
      return member;
    };
    const isDone = await this.#inTurn(this.#services, turn, this.#endsOnError);
    if (!isDone && this.#endsOnError && !this.#turns.isAborted) await this.#rollBack(tried);
  }

  async #rollBack(tried: ReadonlyMap<ServiceName, MemberResult>): Promise<void> {
    this.#turns.beginAgain();
    for (const [service, { outcome }] of [...tried].toReversed()) {
      // The one that failed may be there all the same: too slow, or not as it should be.
      const isStarted = outcome === 'ok' || (await this.#turns.stateOf(service)) === 'running';
      if (!isStarted) continue;
      const member = await this.#turns.act(service, stop, ' (roll-back)');
      this.#members.push({ ...member, isRollback: true });
    }
  }

  /** Members that are in `left` already have what became of them, and are left alone. */
  async #restart(left: ReadonlyMap<ServiceName, MemberResult>): Promise<void> {
    const stops = await this.#stopAll(this.#services.filter((service) => !left.has(service)).toReversed());
    this.#turns.beginAgain();
    let mayStart = true;
    for (const service of this.#services) {
      const stopped = stops.get(service);
      const started =
        stopped !== undefined && mayStart ? await this.#startAgain(service, stopped) : undefined;
      if (started !== undefined && !isOk(started) && this.#endsOnError) mayStart = false;
      this.#members.push(left.get(service) ?? restarted(service, this.#action, stopped, started));
    }
  }

  /** The stops that were tried. One that fails keeps the others from being stopped, but not from being started again. */
  async #stopAll(services: readonly ServiceName[]): Promise<ReadonlyMap<ServiceName, MemberResult>> {
    const stops = new Map<ServiceName, MemberResult>();
    for (const service of services) {
      const member = await this.#turns.act(service, stop);
      if (member.outcome === 'cancelled') break;
      stops.set(service, member);
      if (!isOk(member) && this.#endsOnError) break;
    }
    return stops;
  }

  /** Undefined when it did not stop, and so needs no start. */
  async #startAgain(service: ServiceName, stopped: MemberResult): Promise<MemberResult | undefined> {
    if (!isOk(stopped) && (await this.#turns.stateOf(service)) === 'running') return undefined;
    return this.#turns.act(service, start);
  }

  async #restartWhatRuns(): Promise<void> {
    const left = new Map<ServiceName, MemberResult>();
    for (const service of this.#services) {
      const state = await this.#turns.stateOf(service);
      if (state === 'running') continue;
      const isLooked = !this.#turns.isOver;
      left.set(service, isLooked ? notRunning(service, this.#action, state) : untried(service, this.#action));
    }
    const isTrouble = [...left.values()].some((member) => !isOk(member)) && this.#endsOnError;
    if (!isTrouble) return this.#restart(left);
    for (const service of this.#services)
      this.#members.push(left.get(service) ?? untried(service, this.#action));
  }

  /** False when a member failed and the others did not get their turn. */
  async #inTurn(services: readonly ServiceName[], turn: Turn, endsOnError: boolean): Promise<boolean> {
    let goesOn = true;
    for (const service of services) {
      const member = goesOn ? await turn(service) : untried(service, this.#action);
      this.#members.push(member);
      if (member.outcome === 'cancelled' || (endsOnError && !isOk(member))) goesOn = false;
    }
    return goesOn;
  }
}
