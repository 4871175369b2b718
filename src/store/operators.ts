import { join } from 'node:path';
import type { KeyFiles } from '../platform/key-files.ts';
import { type Fingerprint, fingerprintOf } from '../security/fingerprint.ts';
import { type PublicKeyFile, readPublicKeyFile } from '../security/key-file.ts';
import { ServiceManagerError } from '../wire/errors.ts';

export type OperatorFile = PublicKeyFile & { readonly kind: 'operator' | 'monitor' };

const ending = '.pub';

/** The public keys in a folder, each in a file `NAME.pub`: none where there is no folder. Throws BAD_CONFIG for a wrong one. */
export function readOperators(files: KeyFiles, folder: string): ReadonlyMap<Fingerprint, OperatorFile> {
  const names = files.list(folder).filter((name) => name.endsWith(ending));
  return new Map(names.map((name) => entryOf(files, join(folder, name))));
}

function entryOf(files: KeyFiles, file: string): readonly [Fingerprint, OperatorFile] {
  const read = readPublicKeyFile(files.readPublic(file), file);
  if (isOperator(read)) return [fingerprintOf(read.keys), read];
  throw new ServiceManagerError('BAD_CONFIG', `${file}: kind is ${read.kind}, expected operator or monitor`);
}

function isOperator(read: PublicKeyFile): read is OperatorFile {
  return read.kind === 'operator' || read.kind === 'monitor';
}
