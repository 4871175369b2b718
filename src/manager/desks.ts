import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Auditor } from '../store/auditor.ts';
import type { Store } from '../store/store.ts';
import type { ServiceManagerError } from '../wire/errors.ts';
import type { BoundSockets } from './bound-sockets.ts';
import type { Tally } from './counters.ts';
import { Dispatcher } from './dispatch.ts';
import type { TopicDoor } from './floods.ts';
import { FrontDesk } from './front-desk.ts';
import type { Gatehouse } from './gatehouse.ts';
import { Intake } from './intake.ts';
import { ledgerOptions } from './ledger-options.ts';
import { Plans } from './plans.ts';
import { PolicyDesk } from './policy-desk.ts';
import { PresenceDesk } from './presence.ts';
import { Publisher } from './publisher.ts';
import { Queries } from './queries.ts';
import { Recorder } from './recorder.ts';
import { RequestAudit } from './request-audit.ts';
import { RequestDesk } from './requests.ts';
import type { Sender } from './signatures.ts';

export interface DesksDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly sha256: (text: string) => string;
  readonly sockets: BoundSockets;
  readonly auditor: Auditor;
  readonly tally: Tally;
  /** Undefined where there is no security. */
  readonly gate: Gatehouse | undefined;
  /** Counts and logs a message of the frontend that has no good proof of who sent it. */
  readonly reject: (error: ServiceManagerError) => void;
}

/** The stations of the road through the manager, each made with what it needs of the others. */
export class Desks {
  readonly publisher: Publisher;
  readonly recorder: Recorder;
  readonly presence: PresenceDesk;
  readonly requests: RequestDesk;
  readonly front: FrontDesk;

  constructor({ clock, log, store, sha256, sockets, auditor, tally, gate, reject }: DesksDeps) {
    const addressOf = (sender: Sender) => gate?.addressOf(sender);
    const maxTopicsOf = (door: TopicDoor) => (gate === undefined ? undefined : () => gate.maxTopics(door));
    const publisher = new Publisher(sockets.publisher, maxTopicsOf('publisher'));
    const dispatcher = new Dispatcher(sockets.backend);
    const port = () => publisher.port;
    const recorder = new Recorder({
      ...{ store, clock, log },
      onStored: (id, node) => dispatcher.control(node, { type: 'stored', id }),
    });
    const desk = { clock, log, store, recorder, dispatcher, publisher };
    const audit = new RequestAudit(auditor, addressOf);
    const requests = new RequestDesk({
      ...{ ...desk, audit, ledger: ledgerOptions },
      isSecure: gate !== undefined,
    });
    const presence = new PresenceDesk({
      ...desk,
      onPresence: (node, isAlive) => requests.presence(node, isAlive),
      nextKey: () => gate?.own.nextKey,
      maxTopics: maxTopicsOf('backend'),
    });
    const plans = new Plans(sha256);
    const policy = gate?.policy ?? new PolicyDesk({ rules: [] });
    const asked = { clock, presence, requests, plans, policy, port };
    const maxOpenEach = () => gate?.maxOpenEach ?? Number.POSITIVE_INFINITY;
    // While one key takes the place of another, the latest is the last.
    const fingerprintOf = (node: string) => gate?.ring.ofAgent(node).at(-1)?.fingerprint;
    this.front = new FrontDesk({
      ...{ clock, log, auditor, tally, addressOf, reject },
      intake: new Intake({ ...asked, maxOpenEach }),
      queries: new Queries({ ...asked, store, recorder, fingerprintOf }),
      signatures: gate?.signatures,
    });
    this.publisher = publisher;
    this.recorder = recorder;
    this.presence = presence;
    this.requests = requests;
  }
}
