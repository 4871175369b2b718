import { spawn } from 'node:child_process';
import { appendFileSync, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LeftoverOutput } from '../../../../src/platform/node/leftover-output.ts';

/** Greater than the largest process id there can be. */
const goneGroup = 2 ** 30;

describe('LeftoverOutput', () => {
  let dir: string;
  let leftovers: LeftoverOutput;

  const path = (name: string) => join(dir, name);
  const keep = (name: string, pid = goneGroup) => {
    const fd = openSync(path(name), 'a+');
    leftovers.keep(fd, pid);
    return fd;
  };
  const isOpen = (fd: number) => {
    try {
      fstatSync(fd);
      return true;
    } catch {
      return false;
    }
  };
  const check = (times: number) => {
    for (let count = 0; count < times; count += 1) leftovers.check();
  };

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'service-mgr-'));
    leftovers = new LeftoverOutput(60_000, 3);
  });

  afterEach(() => {
    leftovers.close();
    rmSync(dir, { recursive: true });
  });

  it('empties what was read, and what is printed later', () => {
    appendFileSync(path('daemon'), 'read');
    const fd = keep('daemon');
    expect(fstatSync(fd).size).to.equal(0);
    appendFileSync(path('daemon'), 'later');
    check(1);
    expect(fstatSync(fd).size).to.equal(0);
  });

  it('forgets a file after two checks when nobody seems to hold it', () => {
    const fd = keep('ended');
    check(1);
    expect(isOpen(fd)).to.equal(true);
    check(1);
    expect(isOpen(fd)).to.equal(false);
  });

  it('waits for ten quiet checks after the last growth', () => {
    const fd = keep('daemon');
    check(1);
    appendFileSync(path('daemon'), 'x');
    check(10);
    expect(isOpen(fd)).to.equal(true);
    check(1);
    expect(isOpen(fd)).to.equal(false);
  });

  it('waits for ten quiet checks while the process group lives', () => {
    const member = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
    try {
      const fd = keep('daemon', member.pid);
      check(9);
      expect(isOpen(fd)).to.equal(true);
      check(1);
      expect(isOpen(fd)).to.equal(false);
    } finally {
      member.kill('SIGKILL');
    }
  });

  it('closes the oldest when there are too many', () => {
    const fds = ['a', 'b', 'c', 'd'].map((name) => keep(name));
    expect(fds.map(isOpen)).to.deep.equal([false, true, true, true]);
  });

  it('rather closes one that never grew than a daemon that prints', () => {
    const daemon = keep('daemon');
    appendFileSync(path('daemon'), 'x');
    check(1);
    const fds = ['a', 'b', 'c'].map((name) => keep(name));
    expect(isOpen(daemon)).to.equal(true);
    expect(fds.map(isOpen)).to.deep.equal([false, true, true]);
  });

  it('closes everything at the end, twice without harm', () => {
    const fds = ['a', 'b'].map((name) => keep(name));
    leftovers.close();
    leftovers.close();
    expect(fds.map(isOpen)).to.deep.equal([false, false]);
  });
});
