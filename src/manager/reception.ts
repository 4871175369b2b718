import type { Log } from '../platform/log.ts';
import type { Socket } from '../platform/sockets.ts';
import { isErrorCode, isServiceManagerError } from '../wire/errors.ts';
import type { RequestId } from '../wire/fields.ts';
import { answerManagement, type ManagementHandlers } from '../wire/management.ts';
import { failureOf, withNextKey } from '../wire/reply.ts';
import { openSinkMessage, type SinkMessage } from '../wire/sink.ts';
import { readSubscription } from '../wire/topic.ts';
import type { BoundSockets } from './bound-sockets.ts';
import type { Tally } from './counters.ts';
import type { Desks } from './desks.ts';
import { type FrontendMessage, openFrontendMessage, replyFrames } from './frontend.ts';
import type { Gatehouse } from './gatehouse.ts';
import type { TurnedAway } from './turned-away.ts';

export interface ReceptionDeps {
  readonly sockets: BoundSockets;
  readonly desks: Desks;
  /** Undefined where there is no security. */
  readonly gate: Gatehouse | undefined;
  readonly management: ManagementHandlers;
  readonly turnedAway: TurnedAway;
  readonly tally: Tally;
  readonly log: Log;
  readonly newId: () => RequestId;
}

type Frames = readonly Buffer[];

/** Opens what the sockets receive and takes it to the desk that it is for; what is no message, or proves nothing, is turned away. */
export class Reception {
  readonly #deps: ReceptionDeps;

  constructor(deps: ReceptionDeps) {
    this.#deps = deps;
  }

  /** Calls `serve` once for each socket. */
  open(serve: (socket: Socket, handle: (frames: Frames) => void) => void): void {
    const { frontend, backend, publisher, sink, management, join } = this.#deps.sockets;
    serve(frontend, (frames) => this.#onFrontend(frames));
    serve(backend, (frames) => this.#onBackend(frames));
    serve(publisher, (frames) => this.#onPublisher(frames));
    serve(sink, (frames) => this.#onSink(frames));
    serve(management, (frames) => this.#onManagement(frames));
    if (join !== undefined) serve(join, (frames) => this.#onJoin(join, frames));
  }

  #onFrontend(frames: Frames): void {
    const { gate, sockets, newId } = this.#deps;
    const message = openFrontendMessage(frames, newId);
    const reply = this.#answerClient(message);
    sockets.frontend.send(replyFrames(message.peer, withNextKey(reply, gate?.own.nextKey)));
  }

  #answerClient(message: FrontendMessage): object {
    const { desks, turnedAway } = this.#deps;
    if (message.kind === 'query') return desks.front.query(message.query);
    if (message.kind === 'request') return desks.front.request(message.request);
    const { peer, error } = message;
    turnedAway.add('frontend', error.code, error.message, peer.toString('hex'));
    return failureOf(error);
  }

  #onBackend(frames: Frames): void {
    const { desks, gate, turnedAway, log } = this.#deps;
    const [frame] = frames;
    const subscription = frame === undefined || frames.length !== 1 ? undefined : readSubscription(frame);
    if (subscription === undefined)
      return turnedAway.add('backend', 'INVALID_MESSAGE', 'expected a subscription');
    // Nothing is sent in the form of 2014 where there is security: it has no signature.
    if (subscription.version === 'v1' && gate !== undefined)
      return turnedAway.add('backend', 'UNAUTHENTICATED', 'a subscription of 2014');
    if (!desks.presence.subscription(subscription)) {
      gate?.floods.topicRefused('backend', frame?.length ?? 0);
      return turnedAway.add('backend', 'TOO_BUSY', 'too many topics are subscribed to');
    }
    log.debug('topic.subscription', { ...subscription });
  }

  #onPublisher(frames: Frames): void {
    const { desks, gate, turnedAway } = this.#deps;
    const refusal = desks.publisher.subscription(frames);
    if (refusal === undefined) return;
    if (refusal.code === 'TOO_BUSY') gate?.floods.topicRefused('publisher', frames[0]?.length ?? 0);
    turnedAway.add('publisher', refusal.code, refusal.reason);
  }

  #onSink(frames: Frames): void {
    const { gate, turnedAway } = this.#deps;
    try {
      gate?.proofs.check(frames);
      this.#onAgent(openSinkMessage(frames));
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      turnedAway.add('sink', error.code, error.message);
    }
  }

  #onAgent(message: SinkMessage): void {
    const { desks, tally } = this.#deps;
    const { requests, presence } = desks;
    if (message.type === 'ack') return requests.acknowledged(message);
    if (message.type === 'output') return requests.output(message);
    if (message.type !== 'result') return presence.message(message);
    requests.result(message);
    tally.results += 1;
  }

  #onManagement(frames: Frames): void {
    const { management, sockets, turnedAway } = this.#deps;
    const { reply, refusal } = answerManagement(frames, management);
    sockets.management.send([Buffer.from(JSON.stringify(reply))]);
    if (isErrorCode(refusal?.code)) turnedAway.add('management', refusal.code, refusal.msg);
  }

  #onJoin(socket: Socket, frames: Frames): void {
    const { gate, turnedAway } = this.#deps;
    const reply = gate?.join.answer(frames);
    if (reply === undefined) return;
    socket.send([Buffer.from(JSON.stringify(reply))]);
    if (reply.success === -1 && isErrorCode(reply.code)) turnedAway.add('join', reply.code, reply.msg);
  }
}
