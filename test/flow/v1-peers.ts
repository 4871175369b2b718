import { serve } from '../../src/platform/serve.ts';
import type { Sockets } from '../../src/platform/sockets.ts';
import type { ManagerHost } from './manager-host.ts';

/** What a 2014 agent sends: `result` or its own trouble. */
export type V1Answer = (request: { cmd: string; service: string; uuid: string }) => object | undefined;

/** An agent of 2014 in raw frames: it acts on whatever arrives. */
export class V1Agent {
  /** `nginx status`, in order of arrival. */
  readonly runs: string[] = [];
  readonly #answer: V1Answer;
  readonly #close: () => Promise<unknown>;

  constructor(sockets: Sockets, manager: ManagerHost, topics: readonly string[], answer: V1Answer) {
    this.#answer = answer;
    const subscriber = sockets.connectSubscriber(manager.backendEndpoint);
    const sink = sockets.connectPush(manager.sinkEndpoint);
    for (const topic of topics) subscriber.subscribe(topic);
    void serve(subscriber, ([, json = Buffer.alloc(0)]) => {
      const reply = this.#act(JSON.parse(json.toString()));
      if (reply !== undefined) sink.send([Buffer.from(JSON.stringify(reply))]);
    });
    this.#close = () => Promise.all([subscriber.close(), sink.close()]);
  }

  async close(): Promise<void> {
    await this.#close();
  }

  #act(request: Parameters<V1Answer>[0]): object | undefined {
    this.runs.push(`${request.service} ${request.cmd}`);
    return this.#answer(request);
  }
}

/** The answer of a 2014 agent on this host. */
export function answersAs(node: string, returncode = 0): V1Answer {
  return ({ cmd, service, uuid }) => ({
    msg: `Executed service ${cmd} request`,
    result: {
      node,
      returncode,
      service,
      stdout: ['one', 'two'],
      stderr: [],
      system: 'SunOS',
      version: '5.11',
    },
    uuid,
  });
}

/** A client of 2014: asks, subscribes, and takes what comes. */
export class V1Client {
  readonly received: unknown[] = [];
  reply: { readonly uuid?: string; readonly port?: number; readonly success?: number } | undefined;

  constructor(sockets: Sockets, manager: ManagerHost, request: object) {
    const dealer = sockets.connectDealer(manager.frontendEndpoint);
    dealer.send([Buffer.alloc(0), Buffer.from(JSON.stringify(request))]);
    void serve(dealer, ([, json = Buffer.alloc(0)]) => {
      const reply: NonNullable<V1Client['reply']> = JSON.parse(json.toString());
      this.reply = reply;
      if (reply.uuid !== undefined) this.#listen(sockets, `tcp://localhost:${reply.port}`, reply.uuid);
    });
  }

  #listen(sockets: Sockets, publisher: string, uuid: string): void {
    const subscriber = sockets.connectSubscriber(publisher);
    subscriber.subscribe(uuid);
    void serve(subscriber, ([, json = Buffer.alloc(0)]) => this.received.push(JSON.parse(json.toString())));
  }
}
