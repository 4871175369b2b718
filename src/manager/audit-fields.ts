import type { AuditFields } from '../store/auditor.ts';
import type { RequestBody } from '../wire/request.ts';
import type { Sender } from './signatures.ts';

/** Who asked, as far as that is known. */
export function senderFields(sender: Sender | undefined, address?: string): AuditFields {
  const from = address === undefined ? {} : { address };
  if (sender === undefined) return from;
  const { asker, fingerprint } = sender;
  return { [asker.role]: asker.name, fingerprint, ...from };
}

/** What was asked for, and whom it was aimed at. */
export function requestFields({ id, cmd, service, topic, nodes, exclude, limit }: RequestBody): AuditFields {
  return {
    id,
    action: cmd,
    service,
    target: nodes === undefined ? topic : nodes,
    ...(exclude === undefined ? {} : { exclude }),
    ...(limit === undefined ? {} : { limit }),
  };
}
