import { Pull, XPublisher } from 'zeromq';
import { eventually } from '../../fakes/eventually.ts';
import type { Message } from './junk.ts';
import { isObject, type JsonObject } from './management.ts';
import { onCleanUp } from './processes.ts';

/** The backend and the sink of a manager in the hands of a test, which can send agents what no manager would. */
export class FakeManager {
  readonly endpoints: { readonly backend: string; readonly sink: string };
  readonly #backend: XPublisher;
  readonly #topics: Buffer[] = [];
  readonly #received: JsonObject[] = [];

  private constructor(backend: XPublisher, sink: Pull) {
    this.endpoints = { backend: backend.lastEndpoint ?? '', sink: sink.lastEndpoint ?? '' };
    this.#backend = backend;
    void this.#readTopics();
    void this.#readAnswers(sink);
  }

  static async start(): Promise<FakeManager> {
    const backend = new XPublisher({ linger: 0, sendHighWaterMark: 0 });
    const sink = new Pull({ linger: 0, receiveHighWaterMark: 0 });
    onCleanUp(() => {
      backend.close();
      sink.close();
    });
    await backend.bind('tcp://127.0.0.1:*');
    await sink.bind('tcp://127.0.0.1:*');
    return new FakeManager(backend, sink);
  }

  subscriptionTo(topic: Buffer): Promise<void> {
    return eventually(() => this.#topics.some((one) => one.equals(topic)), `a subscription to ${topic}`);
  }

  async send(messages: readonly Message[]): Promise<void> {
    for (const message of messages) await this.#backend.send([...message]);
  }

  /** Resolves with the answer that carries the result of this request. */
  async answerTo(uuid: string): Promise<JsonObject | undefined> {
    const find = () => this.#received.find((received) => received['uuid'] === uuid && 'result' in received);
    await eventually(() => find() !== undefined, `an answer to ${uuid}`, 20_000);
    return find();
  }

  /** Answers that say that something was wrong. */
  troubles(): JsonObject[] {
    return this.#received.filter(({ success }) => success === -1);
  }

  async #readTopics(): Promise<void> {
    for await (const [frame] of this.#backend) if (frame?.[0] === 1) this.#topics.push(frame.subarray(1));
  }

  /** An answer is a JSON object with an id, whichever frame of the message it stands in. */
  async #readAnswers(sink: Pull): Promise<void> {
    for await (const frames of sink) {
      const objects = frames.filter((frame) => String(frame).startsWith('{')).map(objectIn);
      this.#received.push(...objects.filter(({ uuid }) => typeof uuid === 'string'));
    }
  }
}

export function objectIn(frame: Buffer | undefined): JsonObject {
  const value: unknown = JSON.parse(String(frame));
  if (!isObject(value)) throw new Error(`no JSON object: ${frame}`);
  return value;
}
