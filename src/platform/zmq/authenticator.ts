import * as zmq from 'zeromq';
import type { Admission } from '../admission.ts';
import { endpointUnusable } from './endpoint.ts';
import { untilUninterrupted } from './interrupted.ts';
import { closeAndWait } from './monitor.ts';
import { readZapRequest, zapReply } from './zap.ts';

const zapEndpoint = 'inproc://zeromq.zap.01';

/**
 * Answers libzmq's question who may come in. It runs as long as somebody uses it, because libzmq lets everybody in when
 * nobody answers, and because its loop keeps the program alive.
 */
export class Authenticator {
  readonly #context: zmq.Context;
  readonly #admission: Admission;
  #users = 0;
  // One after the other: its address is free again only when the one before is through with closing.
  #turn: Promise<void> = Promise.resolve();
  #raw: zmq.Router | undefined;

  constructor(context: zmq.Context, admission: Admission) {
    this.#context = context;
    this.#admission = admission;
  }

  /** Resolves when it runs. Rejects with ENDPOINT_UNUSABLE. Each one needs its own `release`, also after a failure. */
  acquire(): Promise<void> {
    this.#users += 1;
    return this.#next(() => this.#start());
  }

  release(): Promise<void> {
    this.#users -= 1;
    return this.#next(() => this.#stopUnlessUsed());
  }

  #next(step: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(step);
    this.#turn = done.catch(() => {});
    return done;
  }

  async #start(): Promise<void> {
    if (this.#raw !== undefined) return;
    const unlimited = { sendHighWaterMark: 0, receiveHighWaterMark: 0 };
    const raw = new zmq.Router({ context: this.#context, linger: 0, sendTimeout: 0, ...unlimited });
    try {
      await untilUninterrupted(() => raw.bind(zapEndpoint));
    } catch (error) {
      raw.close();
      throw endpointUnusable('bind', zapEndpoint, error);
    }
    this.#raw = raw;
    this.#answer(raw);
  }

  async #stopUnlessUsed(): Promise<void> {
    const raw = this.#raw;
    if (raw === undefined || this.#users > 0) return;
    this.#raw = undefined;
    await closeAndWait(raw);
  }

  async #answer(raw: zmq.Router): Promise<void> {
    while (this.#raw === raw) {
      try {
        const frames = await raw.receive();
        await raw.send(zapReply(frames, this.#admits(frames)));
      } catch (error) {
        // Closing ends a receive with an error, and who has left needs no answer.
        if (this.#raw === raw && !isHarmless(error)) throw error;
      }
    }
  }

  #admits(frames: readonly Buffer[]): boolean {
    const request = readZapRequest(frames);
    if (request === undefined) {
      this.#admission.refuse({ domain: '', reason: 'protocol' });
      return false;
    }
    const { domain, address, mechanism, publicKey } = request;
    if (mechanism === 'CURVE') return this.#admission.admits({ domain, address, publicKey });
    this.#admission.refuse({ domain, address, reason: 'mechanism' });
    return false;
  }
}

const harmlessCodes: ReadonlySet<unknown> = new Set(['EAGAIN', 'EINTR', 'EHOSTUNREACH']);

function isHarmless(error: unknown): boolean {
  return error instanceof Error && 'code' in error && harmlessCodes.has(error.code);
}
