import type { Fingerprint } from '../security/fingerprint.ts';
import type { Signed } from '../wire/dispatch.ts';
import type { RequestId } from '../wire/fields.ts';
import type { Dispatchable } from './dispatch.ts';

/** What is known of a request besides what is sent of it. */
export interface OpenedRequest {
  /** Who has sent it, where that is known. */
  readonly sender: Fingerprint | undefined;
  /** Each node was sent it by its name: nobody else has anything to say of it. */
  readonly isByName: boolean;
}

interface OpenRequest extends OpenedRequest {
  /** What is sent again when a node is asked again. */
  readonly dispatchable: Dispatchable;
  /** The query of who has cancelled it, in his own words. */
  cancelled: Signed | undefined;
}

/** What a request needs besides its ledger for as long as it is open. */
export class OpenRequests {
  readonly #open = new Map<RequestId, OpenRequest>();

  add(dispatchable: Dispatchable, opened: OpenedRequest, cancelled?: Signed): void {
    this.#open.set(dispatchable.body.id, { ...opened, dispatchable, cancelled });
  }

  dispatchable(id: RequestId): Dispatchable | undefined {
    return this.#open.get(id)?.dispatchable;
  }

  /** Undefined where it is over. */
  isByName(id: RequestId): boolean | undefined {
    return this.#open.get(id)?.isByName;
  }

  /** Nothing happens where it is over: nobody is told of it again. */
  cancel(id: RequestId, signed: Signed): void {
    const request = this.#open.get(id);
    if (request !== undefined) request.cancelled = signed;
  }

  cancellation(id: RequestId): Signed | undefined {
    return this.#open.get(id)?.cancelled;
  }

  countOf(sender: Fingerprint): number {
    let count = 0;
    for (const request of this.#open.values()) if (request.sender === sender) count += 1;
    return count;
  }

  /** It is over. */
  forget(id: RequestId): void {
    this.#open.delete(id);
  }
}
