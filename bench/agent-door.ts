import { Pull, XPublisher } from 'zeromq';
import { newRequestId } from '../src/platform/node/ids.ts';
import { controlFrames, dispatchFramesV2 } from '../src/wire/dispatch.ts';
import type { ActionName, RequestId, ServiceName } from '../src/wire/fields.ts';
import { RequestBody } from '../src/wire/request.ts';
import { isServiceAnswer } from '../src/wire/result.ts';
import { openSinkMessage } from '../src/wire/sink.ts';
import { topicFrame } from '../src/wire/topic.ts';

const anyAgent = topicFrame('any', 'v2');

/** What an agent needs of a manager: it is asked here, and its answer is taken. */
export class AgentDoor {
  readonly #backend = new XPublisher({ linger: 0 });
  readonly #sink = new Pull({ linger: 0 });

  async open(): Promise<{ backend: string; sink: string }> {
    await this.#backend.bind('tcp://127.0.0.1:*');
    await this.#sink.bind('tcp://127.0.0.1:*');
    return { backend: this.#backend.lastEndpoint ?? '', sink: this.#sink.lastEndpoint ?? '' };
  }

  /** Resolves when an agent has subscribed. */
  async agentIsThere(): Promise<void> {
    for await (const [frame] of this.#backend) if (frame?.subarray(1).equals(anyAgent)) return;
  }

  /** Resolves with the exit code that the agent answers with. */
  async status(service: string): Promise<number> {
    const id = newRequestId();
    const body = { id, cmd: 'status' as ActionName, topic: 'any', service: service as ServiceName };
    await this.#backend.send(
      dispatchFramesV2(anyAgent, { id, bodyBytes: RequestBody.encode(body), signature: '' }),
    );
    const code = await this.#answerTo(id);
    await this.#backend.send(controlFrames(anyAgent, { type: 'stored', id }));
    return code;
  }

  close(): void {
    this.#backend.close();
    this.#sink.close();
  }

  async #answerTo(id: RequestId): Promise<number> {
    for await (const frames of this.#sink) {
      const message = openSinkMessage(frames);
      const isIt = message.type === 'result' && message.id === id && isServiceAnswer(message.answer);
      if (isIt && isServiceAnswer(message.answer)) return message.answer.result.returncode;
    }
    throw new Error('the agent did not answer');
  }
}
