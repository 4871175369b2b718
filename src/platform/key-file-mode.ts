/** What the system says of a file. */
export interface FileFacts {
  /** Permission bits; others are not looked at. */
  readonly mode: number;
  readonly uid: number;
  readonly isSymlink: boolean;
  readonly isFile: boolean;
}

/**
 * Why a file with secrets is not to be used, as the end of a sentence that begins with its name; undefined: it may. It
 * must be root's or our own. Root takes it from anybody: it runs the commands of daemons that have a user of their own.
 */
export function secretFileRefusal(file: FileFacts, ownUid: number): string | undefined {
  return placeRefusal(file, ownUid) ?? secretModeRefusal(file.mode & 0o7777);
}

/** The same for a file that says whom to trust: all may read it, but only its owner may change it. */
export function publicFileRefusal(file: FileFacts, ownUid: number): string | undefined {
  const mode = file.mode & 0o7777;
  const isWritable = (mode & 0o022) !== 0;
  const writable = isWritable ? `mode is ${octal(mode)}: others may change it; chmod go-w` : undefined;
  return placeRefusal(file, ownUid) ?? writable;
}

function placeRefusal({ isSymlink, isFile, uid }: FileFacts, ownUid: number): string | undefined {
  if (isSymlink) return 'is a symbolic link, expected the file itself';
  if (!isFile) return 'is no regular file';
  if (ownUid === 0 || uid === 0 || uid === ownUid) return undefined;
  return `belongs to user ${uid}, expected user ${ownUid} or root`;
}

function secretModeRefusal(mode: number): string | undefined {
  if (mode === 0o600 || mode === 0o400) return undefined;
  const isShared = (mode & 0o077) !== 0;
  const why = isShared ? 'others may get at the secret; ' : '';
  return `mode is ${octal(mode)}, expected 0600 or 0400: ${why}chmod 600`;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
