import { join } from 'node:path';
import type { KeyFiles } from '../platform/key-files.ts';
import {
  type KeyKind,
  printSecretKeyFile,
  readSecretKeyFile,
  type SecretKeyFile,
} from '../security/key-file.ts';
import { type KnownManager, printKnownManager, readKnownManager } from '../security/known-manager.ts';
import { ServiceManagerError } from '../wire/errors.ts';

export interface KeyFolderOptions {
  readonly files: KeyFiles;
  /** Where the secret keys are. */
  readonly keyFile: string;
  /** Which kinds of keys may be in there: those of an agent are none of an operator. */
  readonly kinds: readonly KeyKind[];
  /** Where it is kept which managers were joined. */
  readonly managersFolder: string;
}

const ending = '.manager';

/** The keys of an agent or a person, and the managers that were joined with them. All methods throw BAD_CONFIG. */
export class KeyFolder {
  readonly #options: KeyFolderOptions;

  constructor(options: KeyFolderOptions) {
    this.#options = options;
  }

  get keyFile(): string {
    return this.#options.keyFile;
  }

  get hasKeys(): boolean {
    return this.#options.files.exists(this.keyFile);
  }

  /** Undefined where there are none yet. */
  load(): SecretKeyFile | undefined {
    return this.hasKeys ? this.#read(this.keyFile) : undefined;
  }

  create(keys: SecretKeyFile): void {
    this.#options.files.createSecret(this.keyFile, printSecretKeyFile(keys));
  }

  /** Takes away keys that nobody wants. Nothing happens where others have taken their place. */
  discard(keys: SecretKeyFile): void {
    if (this.load()?.curve.publicKey === keys.curve.publicKey) this.#options.files.remove(this.keyFile);
  }

  /** Keys that are known to the managers already and take the place of the present ones with `promoteNext`. */
  createNext(keys: SecretKeyFile): void {
    this.#options.files.createSecret(this.#nextFile, printSecretKeyFile(keys));
  }

  loadNext(): SecretKeyFile | undefined {
    return this.#options.files.exists(this.#nextFile) ? this.#read(this.#nextFile) : undefined;
  }

  promoteNext(): void {
    const { files } = this.#options;
    files.replaceSecret(this.keyFile, files.readSecret(this.#nextFile));
    files.remove(this.#nextFile);
  }

  /** By name. */
  managers(): KnownManager[] {
    const { files, managersFolder } = this.#options;
    const names = files.list(managersFolder).filter((name) => name.endsWith(ending));
    return names.map((name) => {
      const file = join(managersFolder, name);
      return readKnownManager(files.readPublic(file), file);
    });
  }

  /** Where it is kept what is known of a manager. */
  managerFile(name: string): string {
    return join(this.#options.managersFolder, `${name}${ending}`);
  }

  /** In place of what was known of a manager of this name. */
  keepManager(manager: KnownManager): void {
    this.#options.files.writePublic(this.managerFile(manager.name), printKnownManager(manager));
  }

  get #nextFile(): string {
    return `${this.keyFile}.next`;
  }

  #read(file: string): SecretKeyFile {
    const keys = readSecretKeyFile(this.#options.files.readSecret(file), file);
    const { kinds } = this.#options;
    if (kinds.includes(keys.kind)) return keys;
    throw new ServiceManagerError(
      'BAD_CONFIG',
      `${file}: kind is ${keys.kind}, expected ${kinds.join(' or ')}`,
    );
  }
}
