import { expect } from 'chai';
import fc from 'fast-check';
import { publicFileRefusal, secretFileRefusal } from '../../../src/platform/key-file-mode.ts';

const file = { mode: 0o100600, uid: 1000, isSymlink: false, isFile: true };

describe('a file with secrets', () => {
  it('may be read and written by its owner only, who is root or ourselves', () => {
    for (const mode of [0o600, 0o400, 0o100600]) {
      expect(secretFileRefusal({ ...file, mode }, 1000)).to.equal(undefined);
      expect(secretFileRefusal({ ...file, mode, uid: 0 }, 1000)).to.equal(undefined);
    }
  });

  const refused: ReadonlyArray<[Partial<typeof file>, string]> = [
    [{ mode: 0o644 }, 'mode is 0644, expected 0600 or 0400: others may get at the secret; chmod 600'],
    [{ mode: 0o640 }, 'mode is 0640, expected 0600 or 0400: others may get at the secret; chmod 600'],
    [{ mode: 0o700 }, 'mode is 0700, expected 0600 or 0400: chmod 600'],
    [{ mode: 0o4600 }, 'mode is 4600, expected 0600 or 0400: chmod 600'],
    [{ uid: 1001 }, 'belongs to user 1001, expected user 1000 or root'],
    [{ isSymlink: true }, 'is a symbolic link, expected the file itself'],
    [{ isFile: false }, 'is no regular file'],
  ];
  for (const [changes, reason] of refused) {
    it(`is refused: ${reason}`, () =>
      expect(secretFileRefusal({ ...file, ...changes }, 1000)).to.equal(reason));
  }

  it('of any user is taken by root, who runs the commands of daemons that are not root', () => {
    expect(secretFileRefusal(file, 0)).to.equal(undefined);
    expect(secretFileRefusal({ ...file, mode: 0o640 }, 0)).to.include('mode is 0640');
    expect(secretFileRefusal({ ...file, isSymlink: true }, 0)).to.include('symbolic link');
  });

  it('is never taken when anybody else may do anything with it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0o7777 }), (mode) => {
        if ((mode & 0o077) !== 0) expect(secretFileRefusal({ ...file, mode }, 1000)).to.be.a('string');
      }),
    );
  });
});

describe('a file that says whom to trust', () => {
  it('may be read by all, but changed only by its owner', () => {
    for (const mode of [0o644, 0o600, 0o444])
      expect(publicFileRefusal({ ...file, mode }, 1000)).to.equal(undefined);
    for (const mode of [0o664, 0o646, 0o666]) {
      expect(publicFileRefusal({ ...file, mode }, 1000)).to.include('others may change it');
    }
  });

  it('is refused when it is a link, or that of another user', () => {
    expect(publicFileRefusal({ ...file, isSymlink: true }, 1000)).to.include('symbolic link');
    expect(publicFileRefusal({ ...file, uid: 1001 }, 1000)).to.include('belongs to user 1001');
  });
});
