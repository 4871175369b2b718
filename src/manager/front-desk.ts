import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { claimedSigner } from '../security/signature.ts';
import type { AuditFields, Auditor } from '../store/auditor.ts';
import { isServiceManagerError, type ServiceManagerError } from '../wire/errors.ts';
import type { CheckedQuery } from '../wire/query.ts';
import { type Failure, failureOf } from '../wire/reply.ts';
import type { CheckedRequest } from '../wire/request.ts';
import { requestFields, senderFields } from './audit-fields.ts';
import type { Tally } from './counters.ts';
import { changingQueries } from './doors.ts';
import type { Intake, Verdict } from './intake.ts';
import type { Queries } from './queries.ts';
import type { Sender, Signatures } from './signatures.ts';

export interface FrontDeskDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly auditor: Auditor;
  readonly intake: Intake;
  readonly queries: Queries;
  readonly tally: Tally;
  /** Undefined where there is no security: then everybody may ask for everything. */
  readonly signatures: Signatures | undefined;
  /** Where the owner of a signature was last seen. */
  readonly addressOf: (sender: Sender) => string | undefined;
  /** Counts and logs what has no good proof of who sent it. */
  readonly reject: (error: ServiceManagerError) => void;
}

/** Answers clients: finds out who asks, lets their requests and queries be carried out, and says what became of it. */
export class FrontDesk {
  readonly #deps: FrontDeskDeps;

  constructor(deps: FrontDeskDeps) {
    this.#deps = deps;
  }

  request(request: CheckedRequest): object {
    const { signatures, tally } = this.#deps;
    let sender: Sender | undefined;
    try {
      sender = signatures?.ofRequest(request);
    } catch (error) {
      tally.requestsRefused += 1;
      return this.#unproved('request.refused', requestFields(request.body), request.signature, error);
    }
    const verdict = this.#deps.intake.take(request, sender);
    this.#tell(request, sender, verdict);
    return verdict.reply;
  }

  query(checked: CheckedQuery): object {
    const { signatures, tally, queries } = this.#deps;
    const { query } = checked;
    tally.queries += 1;
    const { query: name, id, node } = query;
    const about = {
      query: name,
      ...(id === undefined ? {} : { id }),
      ...(node === undefined ? {} : { node }),
    };
    let sender: Sender | undefined;
    try {
      sender = signatures?.ofQuery(checked);
    } catch (error) {
      return this.#unproved('query.refused', about, checked.signed?.signature, error);
    }
    try {
      const reply = queries.answer(checked, sender);
      if (changingQueries.has(name)) this.#audit(`query.${name}`, about, sender);
      return reply;
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      if (changingQueries.has(name)) this.#audit('query.refused', { ...about, code: error.code }, sender);
      return failureOf(error);
    }
  }

  #tell(request: CheckedRequest, sender: Sender | undefined, verdict: Verdict): void {
    const { tally, log } = this.#deps;
    tally[talliedAs[verdict.kind]] += 1;
    const { id, cmd: action, topic, service } = request.body;
    const by = sender === undefined ? {} : { by: `${sender.asker.role} ${sender.asker.name}` };
    const about = { id, action, topic, service, ...by };
    if (verdict.kind === 'refused') {
      const { code, msg: reason } = verdict.reply;
      log.warn('request.refused', { ...about, code, reason });
      this.#audit('request.refused', { ...requestFields(request.body), code: code ?? '', reason }, sender);
    } else if (verdict.kind === 'opened') {
      const { expected, withheld } = verdict.reply;
      log.info('request.opened', { ...about, form: request.version, expected, withheld });
    }
  }

  #unproved(event: string, about: AuditFields, signature: string | undefined, error: unknown): Failure {
    if (!isServiceManagerError(error)) throw error;
    const { code, message: reason } = error;
    const claimed = claimedSigner(signature ?? '');
    this.#deps.reject(error);
    this.#deps.auditor.strange(event, {
      ...{ ...about, code, reason },
      ...(claimed === undefined ? {} : { claimed }),
    });
    return failureOf(error);
  }

  #audit(event: string, fields: AuditFields, sender: Sender | undefined): void {
    const address = sender === undefined ? undefined : this.#deps.addressOf(sender);
    this.#deps.auditor.event(event, { ...fields, ...senderFields(sender, address) });
  }
}

const talliedAs = { opened: 'requests', repeated: 'requestsRepeated', refused: 'requestsRefused' } as const;
