import type { KeyFiles } from '../platform/key-files.ts';
import { printSecretKeyFile, readSecretKeyFile, type SecretKeyFile } from '../security/key-file.ts';
import type { CurveKeys } from '../security/keys.ts';
import { ServiceManagerError } from '../wire/errors.ts';

/** Where it is kept which key is the next one, and from when on it is to be used. */
export interface KeySettings {
  getSetting(name: string): string | undefined;
  setSetting(name: string, value: string): void;
}

export interface ManagerKeyFilesOptions {
  readonly files: KeyFiles;
  readonly keyFile: string;
  /** The user that the manager runs as, where root makes its keys. */
  readonly owner?: string | undefined;
}

export interface KeptManagerKeys {
  readonly name: string;
  readonly current: CurveKeys;
  readonly next?: { readonly pair: CurveKeys; readonly switchesWallMs: number } | undefined;
}

const switchSetting = 'next key since';

/**
 * The secret keys of a manager: the present one, and the one it is going to have. All methods throw BAD_CONFIG, and those
 * that are given settings what these throw.
 */
export class ManagerKeyFiles {
  readonly #options: ManagerKeyFilesOptions;

  constructor(options: ManagerKeyFilesOptions) {
    this.#options = options;
  }

  get keyFile(): string {
    return this.#options.keyFile;
  }

  get hasKeys(): boolean {
    return this.#options.files.exists(this.keyFile);
  }

  create(keys: SecretKeyFile): void {
    const { files, keyFile, owner } = this.#options;
    files.createSecret(keyFile, printSecretKeyFile(keys), owner);
  }

  /** The present key alone, for who has no settings at hand. */
  loadCurrent(): SecretKeyFile {
    return this.#read(this.#options.keyFile);
  }

  load(settings: KeySettings): KeptManagerKeys {
    const { name, curve: current } = this.loadCurrent();
    const pair = this.#options.files.exists(this.#nextFile) ? this.#read(this.#nextFile).curve : undefined;
    const [switchesWallMs, publicKey] = (settings.getSetting(switchSetting) ?? '').split(' ');
    // One that is the present one was promoted, and one that is not noted was told to nobody: the manager was killed meanwhile.
    const isNext = pair?.publicKey === publicKey && publicKey !== current.publicKey;
    if (pair === undefined || !isNext) return { name, current };
    return { name, current, next: { pair, switchesWallMs: Number(switchesWallMs) } };
  }

  /** `created`: as key files have it. */
  keepNext(next: CurveKeys, created: string, switchesWallMs: number, settings: KeySettings): void {
    const { files } = this.#options;
    const { kind, name } = this.loadCurrent();
    const text = printSecretKeyFile({ kind, name, created, curve: next });
    settings.setSetting(switchSetting, `${switchesWallMs} ${next.publicKey}`);
    if (files.exists(this.#nextFile)) files.replaceSecret(this.#nextFile, text);
    else files.createSecret(this.#nextFile, text);
  }

  promoteNext(): void {
    const { files, keyFile } = this.#options;
    files.replaceSecret(keyFile, files.readSecret(this.#nextFile));
    files.remove(this.#nextFile);
  }

  get #nextFile(): string {
    return `${this.#options.keyFile}.next`;
  }

  #read(file: string): SecretKeyFile {
    const keys = readSecretKeyFile(this.#options.files.readSecret(file), file);
    if (keys.kind === 'manager') return keys;
    throw new ServiceManagerError('BAD_CONFIG', `${file}: kind is ${keys.kind}, expected manager`);
  }
}
