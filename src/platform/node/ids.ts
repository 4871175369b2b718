import { randomBytes } from 'node:crypto';
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

/** Id and secret of a new join token, of so many bytes each. */
export function newTokenSecrets(idBytes: number, secretBytes: number): { id: string; secret: Uint8Array } {
  return { id: randomBytes(idBytes).toString('hex'), secret: randomBytes(secretBytes) };
}
