import { v7 } from 'uuid';
import type { RequestId } from '../../wire/fields.ts';
import type { BootId } from '../../wire/presence.ts';

/** A UUID of version 7 without its dashes: ids sort by the time they were made. */
export function newRequestId(): RequestId {
  return v7().replaceAll('-', '') as RequestId;
}

export function newBootId(): BootId {
  return v7().replaceAll('-', '') as BootId;
}
