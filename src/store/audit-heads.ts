import type { KeyFiles } from '../platform/key-files.ts';
import { type AuditHead, printAuditHead, readAuditHead } from '../security/audit-chain.ts';
import { isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import type { Store } from './store.ts';

/** Where the head of an audit log is kept, apart from the log. */
export interface AuditHeads {
  /** Undefined where none was saved yet. Throws BAD_CONFIG when what is there is none, or is not to be trusted. */
  load(): AuditHead | undefined;
  /** Throws STORE_UNUSABLE. */
  save(head: AuditHead): void;
}

const settingName = 'audit head';

/** In the database of a manager. */
export class SettingHeads implements AuditHeads {
  readonly #settings: Pick<Store, 'getSetting' | 'setSetting'>;

  constructor(settings: Pick<Store, 'getSetting' | 'setSetting'>) {
    this.#settings = settings;
  }

  load(): AuditHead | undefined {
    const text = this.#settings.getSetting(settingName);
    return text === undefined ? undefined : headIn(text, `setting '${settingName}'`);
  }

  save(head: AuditHead): void {
    this.#settings.setSetting(settingName, printAuditHead(head));
  }
}

/** In a file beside the log, for a program that has no database of its own. */
export class FileHeads implements AuditHeads {
  readonly #files: Pick<KeyFiles, 'exists' | 'readPublic' | 'writePublic'>;
  readonly #path: string;

  constructor(files: Pick<KeyFiles, 'exists' | 'readPublic' | 'writePublic'>, path: string) {
    this.#files = files;
    this.#path = path;
  }

  load(): AuditHead | undefined {
    if (!this.#files.exists(this.#path)) return undefined;
    return headIn(this.#files.readPublic(this.#path).trimEnd(), this.#path);
  }

  save(head: AuditHead): void {
    try {
      this.#files.writePublic(this.#path, `${printAuditHead(head)}\n`);
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      throw new ServiceManagerError('STORE_UNUSABLE', error.message, { cause: error });
    }
  }
}

function headIn(text: string, where: string): AuditHead {
  const head = readAuditHead(text);
  if (head !== undefined) return head;
  throw new ServiceManagerError(
    'BAD_CONFIG',
    `${where}: expected the head of an audit log, a number and a hash`,
  );
}
