import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { type KeyFiles, largestKeyFileBytes } from '../../src/platform/key-files.ts';
import { NodeKeyFiles } from '../../src/platform/node/key-files.ts';
import { isServiceManagerError } from '../../src/wire/errors.ts';
import { MemoryKeyFiles } from '../fakes/memory-key-files.ts';
import { refusalOf } from '../unit/security/refusal.ts';

interface Facts {
  readonly mode: number;
  readonly uid: number;
}

function skipWithoutRoot(context: Mocha.Context): void {
  Object.assign(context.runnable(), { skipReason: 'only root can give files away' });
  context.skip();
}

/** A host on which a test makes files of all kinds. */
interface Host {
  /** As a program of this user sees them. */
  as(uid: number): KeyFiles;
  put(path: string, text: string, facts?: Partial<Facts>): void;
  link(path: string, target: string): void;
  textOf(path: string): string | undefined;
  factsOf(path: string): Facts;
}

const ownUid = process.geteuid?.() ?? 0;
const isRoot = ownUid === 0;
const somebody = 'nobody';
const somebodysUid = Number(execFileSync('id', ['-u', somebody], { encoding: 'utf8' }));

const nodeHost: Host = {
  as: (uid) => new NodeKeyFiles(uid),
  put(path, text, { mode = 0o600, uid = ownUid } = {}) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { flag: 'wx' });
    if (uid !== ownUid) chownSync(path, uid, -1);
    chmodSync(path, mode);
  },
  link: (path, target) => symlinkSync(target, path),
  textOf: (path) => (lstatSync(path, { throwIfNoEntry: false }) ? readFileSync(path, 'utf8') : undefined),
  factsOf(path) {
    const { mode, uid } = lstatSync(path);
    return { mode: mode & 0o7777, uid };
  },
};

function memoryHost(): Host {
  const uids = { [somebody]: somebodysUid };
  const all = new MemoryKeyFiles(ownUid);
  const as = (uid: number) => {
    const files = new MemoryKeyFiles(uid, uids);
    // The same disk.
    return Object.assign(files, { files: all.files });
  };
  return {
    as,
    put: (path, text, facts) => all.put(path, text, facts),
    link: (path, target) =>
      all.put(path, all.files.get(target)?.text ?? '', { isSymlink: true, isFile: false }),
    textOf: (path) => all.files.get(path)?.text,
    factsOf(path) {
      const { mode, uid } = all.files.get(path) ?? { mode: 0, uid: -1 };
      return { mode, uid };
    },
  };
}

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'service-mgr-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

for (const [name, open] of Object.entries({ NodeKeyFiles: () => nodeHost, MemoryKeyFiles: memoryHost })) {
  describe(`key files: ${name}`, () => {
    let host: Host;
    let files: KeyFiles;
    let path: string;

    beforeEach(() => {
      host = open();
      files = host.as(ownUid);
      path = join(folder, 'keys', 'one.key');
    });

    const refusedFor = (act: () => unknown): string => {
      const { code, message } = refusalOf(act);
      expect(code).to.equal('BAD_CONFIG');
      expect(message).to.include(path);
      return message;
    };

    it('are read as they were made, with mode 0600', () => {
      files.createSecret(path, 'ä secret\n');
      expect(files.readSecret(path)).to.equal('ä secret\n');
      expect(host.factsOf(path)).to.deep.equal({ mode: 0o600, uid: ownUid });
    });

    it('are never overwritten by new ones', () => {
      files.createSecret(path, 'first');
      expect(refusedFor(() => files.createSecret(path, 'second'))).to.include('cannot be made');
      expect(files.readSecret(path)).to.equal('first');
    });

    it('are not made through a link that somebody put there', () => {
      const target = join(folder, 'elsewhere');
      host.put(join(folder, 'keys', 'other.key'), '');
      host.link(path, target);
      refusedFor(() => files.createSecret(path, 'secret'));
      expect(host.textOf(target)).to.equal(undefined);
    });

    const unsafe: ReadonlyArray<[mode: number, reason: string]> = [
      [0o644, 'mode is 0644, expected 0600 or 0400: others may get at the secret; chmod 600'],
      [0o640, 'mode is 0640'],
      [0o602, 'mode is 0602'],
      [0o700, 'mode is 0700'],
    ];
    for (const [mode, reason] of unsafe) {
      it(`with secrets are not read, and not replaced, when their ${reason}`, () => {
        host.put(path, 'secret', { mode });
        expect(refusedFor(() => files.readSecret(path))).to.include(reason);
        expect(refusedFor(() => files.replaceSecret(path, 'other'))).to.include(reason);
        expect(host.textOf(path)).to.equal('secret');
      });
    }

    it('that say whom to trust may be read by others, but not changed by them', () => {
      for (const [index, mode] of [0o644, 0o444, 0o600].entries()) {
        host.put(`${path}${index}`, 'public', { mode });
        expect(files.readPublic(`${path}${index}`)).to.equal('public');
      }
      host.put(path, 'public', { mode: 0o664 });
      expect(refusedFor(() => files.readPublic(path))).to.include('mode is 0664: others may change it');
    });

    it('are not read through a link', () => {
      const target = join(folder, 'keys', 'target.key');
      host.put(target, 'secret');
      host.link(path, target);
      expect(refusedFor(() => files.readSecret(path))).to.include('is a symbolic link');
      expect(refusedFor(() => files.readPublic(path))).to.include('is a symbolic link');
      expect(refusedFor(() => files.replaceSecret(path, 'other'))).to.include('is a symbolic link');
      expect(files.readSecret(target)).to.equal('secret');
    });

    it('are read when they are ours or of root, and those of others only by root', function () {
      if (!isRoot) return skipWithoutRoot(this);
      const [user, stranger] = [host.as(somebodysUid), host.as(somebodysUid + 1)];
      host.put(path, 'secret', { uid: somebodysUid });
      expect(user.readSecret(path)).to.equal('secret');
      expect(files.readSecret(path)).to.equal('secret');
      const reason = `belongs to user ${somebodysUid}, expected user ${somebodysUid + 1} or root`;
      expect(refusedFor(() => stranger.readSecret(path))).to.include(reason);
      expect(refusedFor(() => stranger.readPublic(path))).to.include(reason);
      host.put(`${path}2`, 'secret', { uid: 0 });
      expect(stranger.readSecret(`${path}2`)).to.equal('secret');
    });

    it('are given by root to the user who is named, if there is such a user', function () {
      if (!isRoot) return skipWithoutRoot(this);
      files.createSecret(path, 'secret', somebody);
      files.writePublic(`${path}.pub`, 'public', somebody);
      expect(host.factsOf(path)).to.deep.equal({ mode: 0o600, uid: somebodysUid });
      expect(host.factsOf(`${path}.pub`)).to.deep.equal({ mode: 0o644, uid: somebodysUid });
      for (const [index, unknown] of ['no-such-user', '-n', ''].entries()) {
        files.createSecret(`${path}${index}`, 'secret', unknown);
        expect(host.factsOf(`${path}${index}`)).to.deep.equal({ mode: 0o600, uid: 0 });
      }
      host.as(somebodysUid).createSecret(`${path}9`, 'secret', 'root');
      expect(host.as(somebodysUid).readSecret(`${path}9`)).to.equal('secret');
    });

    it('keep mode and owner when they are replaced', () => {
      const uid = isRoot ? somebodysUid : ownUid;
      host.put(path, 'secret', { mode: 0o400, uid });
      files.replaceSecret(path, 'other');
      expect(files.readSecret(path)).to.equal('other');
      expect(host.factsOf(path)).to.deep.equal({ mode: 0o400, uid });
      expect(files.list(dirname(path))).to.deep.equal(['one.key']);
    });

    it('are not replaced where there is none', () => {
      files.createSecret(`${path}2`, 'secret');
      refusedFor(() => files.replaceSecret(path, 'other'));
      expect(files.list(dirname(path))).to.deep.equal(['one.key2']);
    });

    it('that are public are made or replaced with mode 0644, and keep their owner', () => {
      files.writePublic(path, 'first');
      expect(host.factsOf(path)).to.deep.equal({ mode: 0o644, uid: ownUid });
      files.writePublic(path, 'second');
      expect(files.readPublic(path)).to.equal('second');
      const uid = isRoot ? somebodysUid : ownUid;
      host.put(`${path}2`, 'first', { mode: 0o600, uid });
      files.writePublic(`${path}2`, 'second', 'root');
      expect(host.factsOf(`${path}2`)).to.deep.equal({ mode: 0o644, uid });
      expect(files.list(dirname(path))).to.deep.equal(['one.key', 'one.key2']);
    });

    it('that are public take the place of a link, and leave alone what it leads to', () => {
      const target = join(folder, 'keys', 'target');
      host.put(target, 'not ours');
      host.link(path, target);
      files.writePublic(path, 'public');
      expect(files.readPublic(path)).to.equal('public');
      expect(host.textOf(target)).to.equal('not ours');
    });

    it('are no larger than 64 KiB', () => {
      const largest = 'x'.repeat(largestKeyFileBytes);
      files.createSecret(path, largest);
      expect(files.readSecret(path)).to.equal(largest);
      expect(refusedFor(() => files.replaceSecret(path, `${largest}x`))).to.include('more than 65536 bytes');
      expect(files.readSecret(path)).to.equal(largest);
      host.put(`${path}2`, `${largest}x`);
      expect(refusedFor(() => files.readSecret(`${path}2`))).to.include('more than 65536 bytes');
      refusedFor(() => files.createSecret(`${path}3`, `${largest}x`));
      expect(files.list(dirname(path))).to.deep.equal(['one.key', 'one.key2']);
    });

    it('that are missing are no secret, and nothing to remove', () => {
      expect(files.exists(path)).to.equal(false);
      expect(refusedFor(() => files.readSecret(path))).to.include('cannot be read');
      files.remove(path);
    });

    it('are gone when they were removed', () => {
      files.createSecret(path, 'secret');
      files.remove(path);
      expect(files.exists(path)).to.equal(false);
      files.createSecret(path, 'another');
      expect(files.readSecret(path)).to.equal('another');
    });

    it('are there whatever is wrong with them', () => {
      host.put(`${path}2`, '', { mode: 0o666 });
      host.link(path, join(folder, 'nowhere'));
      expect(files.exists(path)).to.equal(true);
      expect(files.exists(`${path}2`)).to.equal(true);
    });

    it('are listed by name, and a folder that is missing has none', () => {
      expect(files.list(dirname(path))).to.deep.equal([]);
      for (const each of ['b', 'c', 'a']) files.writePublic(join(folder, 'keys', `${each}.pub`), '');
      expect(files.list(dirname(path))).to.deep.equal(['a.pub', 'b.pub', 'c.pub']);
    });
  });
}

describe('NodeKeyFiles', () => {
  const modeOf = (path: string) => lstatSync(path).mode & 0o777;

  it('makes folders that are missing: for a secret with mode 0700, for others with 0755', () => {
    const files = new NodeKeyFiles();
    files.createSecret(join(folder, 'a', 'b', 'one.key'), '');
    files.writePublic(join(folder, 'c', 'one.pub'), '');
    expect([modeOf(join(folder, 'a')), modeOf(join(folder, 'a', 'b'))]).to.deep.equal([0o700, 0o700]);
    expect(modeOf(join(folder, 'c'))).to.equal(0o755);
  });

  it('gives a folder that it made to the owner of the file, and no other folder', function () {
    if (!isRoot) return skipWithoutRoot(this);
    new NodeKeyFiles().createSecret(join(folder, 'a', 'b', 'one.key'), '', somebody);
    expect(['a', 'a/b'].map((name) => lstatSync(join(folder, name)).uid)).to.deep.equal([
      somebodysUid,
      somebodysUid,
    ]);
    expect(lstatSync(folder).uid).to.equal(0);
  });

  it('makes secrets with mode 0600 whatever the umask', () => {
    const files = new NodeKeyFiles();
    for (const umask of [0o000, 0o377]) {
      const before = process.umask(umask);
      try {
        files.createSecret(join(folder, `${umask}.key`), '');
      } finally {
        process.umask(before);
      }
      expect(modeOf(join(folder, `${umask}.key`))).to.equal(0o600);
    }
  });

  it('does not read, and does not wait for, what is no regular file', () => {
    const pipe = join(folder, 'pipe.key');
    execFileSync('mkfifo', ['-m', '600', pipe]);
    const files = new NodeKeyFiles();
    expect(refusalOf(() => files.readSecret(pipe)).message).to.include('is no regular file');
    expect(refusalOf(() => files.readSecret(folder)).message).to.include('is no regular file');
    expect(refusalOf(() => files.remove(folder)).code).to.equal('BAD_CONFIG');
  });

  it('leaves nothing behind where it cannot write', () => {
    const files = new NodeKeyFiles();
    const path = join(folder, 'one.pub');
    mkdirSync(path);
    expect(refusalOf(() => files.writePublic(path, 'public')).message).to.include('cannot be written');
    expect(readdirSync(folder)).to.deep.equal(['one.pub']);
  });

  it('reads no other file than the one it has looked at, however fast its name changes hands', async () => {
    const path = join(folder, 'one.key');
    writeFileSync(join(folder, 'elsewhere'), 'not meant for us', { mode: 0o600 });
    const files = new NodeKeyFiles();
    const swapper = spawn(process.execPath, ['-e', swapping, folder], { stdio: 'ignore' });
    const seen = { read: 0, refused: 0 };
    const untilMs = performance.now() + 8_000;
    try {
      while ((seen.read < 2_000 || seen.refused < 2_000) && performance.now() < untilMs) {
        const text = readOrRefused(() => files.readSecret(path));
        expect(text).to.be.oneOf(['secret', undefined]);
        seen[text === undefined ? 'refused' : 'read'] += 1;
      }
    } finally {
      const gone = once(swapper, 'close');
      swapper.kill('SIGKILL');
      await gone;
    }
    expect(seen.read).to.be.at.least(100);
    expect(seen.refused).to.be.at.least(100);
  });
});

const swapping = `
  const { renameSync, symlinkSync, writeFileSync } = require('node:fs');
  process.chdir(process.argv[1]);
  for (;;) {
    writeFileSync('good', 'secret', { mode: 0o600 });
    renameSync('good', 'one.key');
    symlinkSync('elsewhere', 'link');
    renameSync('link', 'one.key');
    writeFileSync('good', 'secret', { mode: 0o600 });
    renameSync('good', 'one.key');
    writeFileSync('shared', 'not meant for us', { mode: 0o644 });
    renameSync('shared', 'one.key');
  }`;

function readOrRefused(read: () => string): string | undefined {
  try {
    return read();
  } catch (error) {
    if (!isServiceManagerError(error)) throw error;
    return undefined;
  }
}
