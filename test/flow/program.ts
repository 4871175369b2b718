import { Admission } from '../../src/platform/admission.ts';
import type { Cancel, Clock } from '../../src/platform/clock.ts';
import type { AdmissionRules, Decide } from '../../src/platform/socket-security.ts';
import type {
  BindOptions,
  BoundSocket,
  ConnectingSocket,
  ConnectOptions,
  Frames,
  Socket,
  Sockets,
  SubscriberSocket,
} from '../../src/platform/sockets.ts';
import type { Network } from './network.ts';

/**
 * One running program: what it opens and waits for ends with it. After its death nothing that it still does has an
 * effect, and nothing reaches it.
 */
export class Program {
  readonly name: string;
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly #opened: Socket[] = [];
  #isDead = false;

  constructor(name: string, network: Network, clock: Clock, wallSkewMs = 0) {
    this.name = name;
    this.sockets = new SocketsOfProgram(this, network, clock);
    this.clock = {
      now: () => clock.now(),
      wallMs: () => clock.wallMs() + wallSkewMs,
      after: (delayMs, timer, run) => this.#after(clock, delayMs, timer, run),
    };
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** As `kill -9` does: its connections break, what it had not sent is lost. */
  kill(): void {
    this.vanish();
    for (const socket of this.#opened) void socket.close();
  }

  /** As when its host loses power: nobody learns of it. */
  vanish(): void {
    this.#isDead = true;
  }

  /** Never settles when the program is dead. */
  whileAlive<Value>(promise: Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => this.#isDead || resolve(value),
        (error) => this.#isDead || reject(error),
      );
    });
  }

  opened<Opened extends Socket>(socket: Opened): Opened {
    this.#opened.push(socket);
    return socket;
  }

  #after(clock: Clock, delayMs: number, timer: string, run: () => void): Cancel {
    if (this.#isDead) return () => {};
    return clock.after(delayMs, `${this.name}: ${timer}`, () => {
      if (!this.#isDead) run();
    });
  }
}

class SocketsOfProgram implements Sockets {
  readonly #program: Program;
  readonly #network: Network;
  readonly #admission: Admission;

  constructor(program: Program, network: Network, clock: Clock) {
    this.#program = program;
    this.#network = network;
    this.#admission = new Admission({ clock });
  }

  authenticate(decide: Decide, rules?: AdmissionRules): void {
    this.#admission.authenticate(decide, rules);
  }

  async bindRouter(endpoint: string, options?: BindOptions): Promise<BoundSocket> {
    this.#network.willBind(endpoint, this.#program);
    return this.#bound(await this.#network.sockets.bindRouter(endpoint, options, this.#admission));
  }

  async bindPublisher(endpoint: string, options?: BindOptions): Promise<BoundSocket> {
    this.#network.willBind(endpoint, this.#program);
    return this.#bound(await this.#network.sockets.bindPublisher(endpoint, options, this.#admission));
  }

  async bindPull(endpoint: string, options?: BindOptions): Promise<BoundSocket> {
    this.#network.willBind(endpoint, this.#program);
    return this.#bound(await this.#network.sockets.bindPull(endpoint, options, this.#admission));
  }

  async bindReply(endpoint: string, options?: BindOptions): Promise<BoundSocket> {
    this.#network.willBind(endpoint, this.#program);
    return this.#bound(await this.#network.sockets.bindReply(endpoint, options, this.#admission));
  }

  connectSubscriber(endpoint: string, options?: ConnectOptions): SubscriberSocket {
    const socket = this.#network.sockets.connectSubscriber(endpoint, options);
    return Object.assign(this.#connecting(socket), {
      subscribe: (prefix: string | Buffer) => socket.subscribe(prefix),
      unsubscribe: (prefix: string | Buffer) => socket.unsubscribe(prefix),
    });
  }

  connectPush(endpoint: string, options?: ConnectOptions): ConnectingSocket {
    return this.#connecting(this.#network.sockets.connectPush(endpoint, options));
  }

  connectDealer(endpoint: string, options?: ConnectOptions): ConnectingSocket {
    return this.#connecting(this.#network.sockets.connectDealer(endpoint, options));
  }

  #bound(socket: BoundSocket): BoundSocket {
    return Object.assign(this.#own(socket), { rekey: socket.rekey.bind(socket) });
  }

  #connecting(socket: ConnectingSocket): ConnectingSocket {
    return Object.assign(this.#own(socket), { rekey: socket.rekey.bind(socket) });
  }

  #own(socket: Socket): SocketOfProgram {
    this.#network.attach(socket, this.#program);
    return new SocketOfProgram(this.#program.opened(socket), this.#program);
  }
}

class SocketOfProgram implements Socket {
  readonly #socket: Socket;
  readonly #program: Program;

  constructor(socket: Socket, program: Program) {
    this.#socket = socket;
    this.#program = program;
  }

  get endpoint(): string {
    return this.#socket.endpoint;
  }

  get dropped(): number {
    return this.#socket.dropped;
  }

  send(frames: Frames): boolean {
    return !this.#program.isDead && this.#socket.send(frames);
  }

  close(): Promise<void> {
    return this.#program.whileAlive(this.#socket.close());
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer[], undefined> {
    const messages = this.#socket[Symbol.asyncIterator]();
    return { next: () => this.#program.whileAlive(messages.next()) };
  }
}
