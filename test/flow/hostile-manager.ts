import { serve } from '../../src/platform/serve.ts';
import type { Socket } from '../../src/platform/sockets.ts';
import { curveBytes } from '../../src/security/keys.ts';
import { dispatchFramesV2, type Signed } from '../../src/wire/dispatch.ts';
import type { RequestId } from '../../src/wire/fields.ts';
import type { Answer } from '../../src/wire/result.ts';
import { openSinkMessage } from '../../src/wire/sink.ts';
import { addressFrame } from '../../src/wire/topic.ts';
import type { Fleet } from './fleet.ts';
import type { ManagerHost } from './manager-host.ts';
import { Program } from './program.ts';

/** Somebody in the place of a manager, who has all that it had: its address and its secret keys. */
export class HostileManager {
  /** What the agents said, the latest last. */
  readonly answers: Answer[] = [];
  readonly #fleet: Fleet;
  readonly #backend: Socket;

  private constructor(fleet: Fleet, backend: Socket, sink: Socket) {
    this.#fleet = fleet;
    this.#backend = backend;
    void serve(backend, () => {});
    void serve(sink, (frames) => {
      const said = openSinkMessage(frames);
      if (said.type === 'result') this.answers.push(said.answer);
    });
  }

  /** Resolves when the agents have come back to it. */
  static async inPlaceOf(host: ManagerHost, fleet: Fleet): Promise<HostileManager> {
    host.kill();
    const { sockets } = new Program('hostile', fleet.network, fleet.clock);
    sockets.authenticate(() => true);
    const { publicKey, secretKey } = host.keptKeys.current;
    const pair = { publicKey: curveBytes(publicKey), secretKey: curveBytes(secretKey) };
    const security = (domain: string) => ({ security: { kind: 'server', domain, ...pair } as const });
    const backend = await sockets.bindPublisher(host.backendEndpoint, security('backend'));
    const sink = await sockets.bindPull(host.sinkEndpoint, security('sink'));
    const hostile = new HostileManager(fleet, backend, sink);
    await fleet.pass(5_000);
    // What they had not heard yet that it is stored, they say again.
    hostile.heard();
    return hostile;
  }

  /** Has a node run this. */
  async request(node: string, id: RequestId, { bytes, signature }: Signed, notAfterMs?: number) {
    const sealed = { id, bodyBytes: bytes, signature, notAfterMs };
    await this.send(dispatchFramesV2(addressFrame(node as never), sealed));
  }

  async send(frames: readonly Buffer[]): Promise<void> {
    this.#backend.send([...frames]);
    await this.#fleet.pass(100);
  }

  /** What came since the last time: `web1 NOT_MEANT`. */
  heard(): string[] {
    return this.answers
      .splice(0)
      .map((answer) =>
        'result' in answer
          ? `${answer.result.node} ${answer.result.returncode}`
          : `${answer.node} ${answer.code}`,
      );
  }
}
