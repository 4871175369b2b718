import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeProcessTable } from '../../src/platform/node/process-table.ts';
import type { ProcessTable } from '../../src/platform/process-table.ts';
import { eventually } from '../fakes/eventually.ts';
import { MemoryProcessTable } from '../fakes/memory-process-table.ts';

interface World {
  readonly table: ProcessTable;
  readonly folder: string;
  start(): number;
  end(pid: number): Promise<void>;
  write(path: string, text: string): void;
}

const children = new Map<number, ChildProcess>();
const folders: string[] = [];

function real(): World {
  const folder = mkdtempSync(join(tmpdir(), 'smtable-'));
  folders.push(folder);
  return {
    table: nodeProcessTable,
    folder,
    start() {
      const child = spawn('sleep', ['60']);
      const { pid = 0 } = child;
      children.set(pid, child);
      return pid;
    },
    async end(pid) {
      const child = children.get(pid);
      if (child === undefined) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
    write: (path, text) => writeFileSync(path, text),
  };
}

function memory(): World {
  const table = new MemoryProcessTable();
  let lastPid = 100;
  return {
    table,
    folder: '/run',
    start() {
      lastPid += 1;
      table.starts(lastPid, Date.now());
      return lastPid;
    },
    end: async (pid) => void table.ends(pid),
    write: (path, text) => void table.write(path, text, Date.now()),
  };
}

for (const [name, open] of Object.entries({ nodeProcessTable: real, MemoryProcessTable: memory })) {
  describe(`ProcessTable as ${name}`, () => {
    afterEach(() => {
      for (const child of children.values()) child.kill('SIGKILL');
      children.clear();
      for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
    });

    it('finds a process that runs, always as the same one', () => {
      const world = open();
      const pid = world.start();
      const found = world.table.find(pid);
      expect(found).to.include({ pid });
      expect(world.table.find(pid)).to.deep.equal(found);
    });

    it('tells when it began, within a few seconds', () => {
      const world = open();
      const found = world.table.find(world.start());
      expect(found?.startedWallMs).to.be.within(Date.now() - 5_000, Date.now() + 5_000);
    });

    it('does not find one that has ended, or never was', async () => {
      const world = open();
      const pid = world.start();
      await world.end(pid);
      expect(world.table.find(pid)).to.equal(undefined);
      expect(world.table.find(2 ** 30)).to.equal(undefined);
    });

    it('reads a file, and tells when it was written', () => {
      const world = open();
      const path = join(world.folder, 'x.pid');
      world.write(path, '12\n');
      const file = world.table.read(path);
      expect(file?.text).to.equal('12\n');
      expect(file?.writtenWallMs).to.be.within(Date.now() - 5_000, Date.now() + 5_000);
    });

    it('reads nothing where there is no file', () => {
      const world = open();
      expect(world.table.read(join(world.folder, 'nothing'))).to.equal(undefined);
    });
  });
}

describe('nodeProcessTable', () => {
  const folder = () => {
    folders.push(mkdtempSync(join(tmpdir(), 'smtable-')));
    return folders.at(-1) ?? '';
  };
  afterEach(() => {
    for (const each of folders.splice(0)) rmSync(each, { recursive: true });
  });

  it('takes a zombie for what it is: it does not run', async () => {
    // The shell starts a process and becomes one that does not reap it.
    const parent = spawn('sh', ['-c', 'sleep 0.2 & echo "$!"; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = await once(parent.stdout, 'data');
    await eventually(() => nodeProcessTable.find(Number(line)) === undefined, 'it is not found any more');
    expect(() => process.kill(Number(line), 0), 'it is still there').to.not.throw();
    parent.kill('SIGKILL');
    await once(parent, 'exit');
  });

  it('is not confused by the name of a program', async () => {
    const program = join(folder(), 'a) Z 1 (b');
    writeFileSync(program, '#!/bin/sh\nread -r line\n', { mode: 0o755 });
    const child = spawn(program, [], { stdio: ['pipe', 'ignore', 'ignore'] });
    const found = nodeProcessTable.find(child.pid ?? 0);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(found?.startedWallMs).to.be.within(Date.now() - 10_000, Date.now() + 5_000);
  });

  it('tells two processes apart', async () => {
    const [one, other] = [nodeProcessTable.find(process.pid), nodeProcessTable.find(1)];
    expect(one?.born).to.not.equal(other?.born);
  });

  it('reads the beginning of a large file, and neither a folder nor a pipe', async () => {
    const here = folder();
    writeFileSync(join(here, 'large'), 'x'.repeat(200_000));
    mkdirSync(join(here, 'folder'));
    await once(spawn('mkfifo', [join(here, 'pipe')]), 'exit');
    expect(nodeProcessTable.read(join(here, 'large'))?.text).to.have.lengthOf(65_536);
    expect(nodeProcessTable.read(join(here, 'folder'))).to.equal(undefined);
    expect(nodeProcessTable.read(join(here, 'pipe'))).to.equal(undefined);
  });
});
