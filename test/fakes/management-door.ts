import { Admission } from '../../src/platform/admission.ts';
import { serve } from '../../src/platform/serve.ts';
import type { BoundSocket } from '../../src/platform/sockets.ts';
import { type CurveKeys, curveBytes } from '../../src/security/keys.ts';
import { answerManagement, type ManagementHandlers } from '../../src/wire/management.ts';
import type { ManualClock } from './manual-clock.ts';
import type { MemorySockets } from './memory-sockets.ts';

/** The management socket of a daemon that runs: it answers by these handlers, and with keys only who has the same. */
export class RunningManagement {
  /** Commands that came, in order, with what they are about. */
  readonly asked: { cmd: string; args?: unknown }[] = [];
  readonly #admission: Admission;
  readonly #socket: BoundSocket;

  static async start(
    sockets: MemorySockets,
    clock: ManualClock,
    endpoint: string,
    handlers: ManagementHandlers,
    own?: CurveKeys,
  ): Promise<RunningManagement> {
    const admission = new Admission({ clock });
    const options = own === undefined ? {} : { security: serverOf(own) };
    const socket = await sockets.bindReply(endpoint, options, admission);
    return new RunningManagement(admission, socket, handlers, own);
  }

  private constructor(
    admission: Admission,
    socket: BoundSocket,
    handlers: ManagementHandlers,
    own: CurveKeys | undefined,
  ) {
    this.#admission = admission;
    this.#socket = socket;
    this.#admitOnly(own);
    void serve(socket, (frames) => {
      this.asked.push(JSON.parse(String(frames[0])));
      socket.send([Buffer.from(JSON.stringify(answerManagement(frames, handlers).reply))]);
    });
  }

  /** As a daemon does when it has read its keys again. */
  async useKeys(own: CurveKeys): Promise<void> {
    this.#admitOnly(own);
    await this.#socket.rekey(serverOf(own));
  }

  stop(): Promise<void> {
    return this.#socket.close();
  }

  #admitOnly(own: CurveKeys | undefined): void {
    this.#admission.authenticate(
      ({ publicKey }) => own !== undefined && curveBytes(own.publicKey).equals(publicKey),
    );
  }
}

function serverOf({ publicKey, secretKey }: CurveKeys) {
  const pair = { publicKey: curveBytes(publicKey), secretKey: curveBytes(secretKey) };
  return { kind: 'server', domain: 'management', ...pair } as const;
}
