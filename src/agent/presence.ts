import type { Cancel, Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { BootId, Hello } from '../wire/presence.ts';
import type { Link } from './link.ts';

export interface PresenceDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** What there is to say of this node now. */
  readonly hello: () => Hello;
  readonly boot: BootId;
  readonly random: () => number;
}

// All agents hear one pulse at the same moment: their beats are spread over this time.
const beatSpreadMs = 2_000;
const helloSpreadMs = 1_000;
// Six pulses. A connection that looks open but carries nothing is known to happen; only a new one helps then.
const silentAfterMs = 30_000;
const silenceSpreadMs = 10_000;

interface Watch {
  readonly link: Link;
  /** Undefined until the manager was heard for the first time. */
  silentAtMs: number | undefined;
  cancelBeat: Cancel | undefined;
  cancelHello: Cancel | undefined;
}

/** Says hello, answers pulses, says goodbye; and notices when a manager is not heard any more. */
export class Presence {
  readonly #deps: PresenceDeps;
  readonly #watches = new Map<Link, Watch>();

  constructor(deps: PresenceDeps) {
    this.#deps = deps;
  }

  start(link: Link): void {
    this.#watches.set(link, { link, silentAtMs: undefined, cancelBeat: undefined, cancelHello: undefined });
    link.report.hello(this.#deps.hello());
  }

  /** The manager spoke to all agents. */
  pulse(link: Link): void {
    const watch = this.#watches.get(link);
    if (watch === undefined) return;
    const { clock, random, boot } = this.#deps;
    watch.silentAtMs = clock.now() + silentAfterMs + random() * silenceSpreadMs;
    watch.cancelBeat ??= clock.after(random() * beatSpreadMs, 'beat', () => {
      watch.cancelBeat = undefined;
      link.report.beat(boot, Math.round(clock.wallMs()));
    });
  }

  /** The manager does not know us. */
  asked(link: Link): void {
    const watch = this.#watches.get(link);
    if (watch === undefined) return;
    const { clock, random, hello } = this.#deps;
    watch.cancelHello ??= clock.after(random() * helloSpreadMs, 'hello', () => {
      watch.cancelHello = undefined;
      link.report.hello(hello());
    });
  }

  /** What there is to say of this node is not what it was. */
  changed(): void {
    for (const { link } of this.#watches.values()) link.report.hello(this.#deps.hello());
  }

  /** The links whose manager has fallen silent: to be opened again. */
  silent(): Link[] {
    const { clock, log, random } = this.#deps;
    const now = clock.now();
    const silent = [...this.#watches.values()].filter(
      ({ silentAtMs }) => silentAtMs !== undefined && silentAtMs <= now,
    );
    for (const watch of silent) {
      log.warn('manager.silent', { manager: watch.link.name });
      watch.silentAtMs = now + silentAfterMs + random() * silenceSpreadMs;
    }
    return silent.map(({ link }) => link);
  }

  stop(): void {
    for (const { link, cancelBeat, cancelHello } of this.#watches.values()) {
      cancelBeat?.();
      cancelHello?.();
      link.report.bye(this.#deps.boot);
    }
  }
}
