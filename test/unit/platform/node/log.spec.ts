import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type NodeLog, openLog } from '../../../../src/platform/node/log.ts';
import { ServiceManagerError } from '../../../../src/wire/errors.ts';
import { eventually } from '../../../fakes/eventually.ts';
import { openSizes, program } from '../../../fakes/proc-files.ts';

describe('NodeLog', () => {
  let dir: string;
  let file: string;
  const logs: NodeLog[] = [];

  const open = (debug = false) => {
    const log = openLog({ name: 'service-mgrd', file, debug });
    logs.push(log);
    return log;
  };
  const linesOf = (path: string): Record<string, unknown>[] =>
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  const thrownBy = (run: () => void) => {
    try {
      run();
    } catch (error) {
      return error;
    }
    return undefined;
  };

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'service-mgr-'));
    file = join(dir, 'log', 'service-mgrd.log');
  });

  afterEach(() => {
    for (const log of logs.splice(0)) log.close();
    rmSync(dir, { recursive: true });
  });

  it('writes one JSON object a line: level, time, name, event, then the fields', () => {
    open().info('request.finished', { nodes: 12, target: 'Linux' });
    const [line] = linesOf(file);
    expect(Object.keys(line ?? {})).to.deep.equal(['level', 'time', 'name', 'event', 'nodes', 'target']);
    expect(line).to.include({ level: 'info', name: 'service-mgrd', event: 'request.finished', nodes: 12 });
    expect(line?.['time']).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('has written a line when the call returns', () => {
    const log = open();
    for (let line = 0; line < 100; line += 1) log.info('line');
    expect(linesOf(file)).to.have.length(100);
  });

  it('leaves out what is below its level, from the moment on that it is set', () => {
    const log = open();
    log.setLevel('warn');
    log.info('left out');
    log.warn('written');
    log.setLevel('debug');
    log.debug('written too');
    expect(linesOf(file).map(({ event }) => event)).to.deep.equal(['written', 'written too']);
  });

  it('leaves nothing out when it was opened to say everything', () => {
    const log = open(true);
    log.setLevel('error');
    log.debug('written');
    expect(linesOf(file).map(({ event }) => event)).to.deep.equal(['written']);
  });

  it('writes levels as words, and debug only when asked to', () => {
    const write = (log: NodeLog) => {
      log.debug('a');
      log.info('b');
      log.warn('c');
      log.error('d');
    };
    write(open());
    write(open(true));
    expect(linesOf(file).map((line) => line['level'])).to.deep.equal(
      'info warn error debug info warn error'.split(' '),
    );
  });

  it('makes its folder, and a file that only owner and group may read', () => {
    open();
    expect(statSync(file).mode & 0o777).to.equal(0o640);
  });

  it('goes on at the end of the file that is there', () => {
    open().info('first');
    open().info('second');
    expect(linesOf(file).map((line) => line['event'])).to.deep.equal(['first', 'second']);
  });

  it('lets no field pass for the time, level, name or event', () => {
    open().info('real', { time: 1, level: 'x', name: 'web1', event: 'forged' });
    const text = readFileSync(file, 'utf8');
    expect(text.match(/"time"/g)).to.have.length(1);
    expect(linesOf(file)[0]).to.include({
      level: 'info',
      name: 'service-mgrd',
      event: 'real',
      'field.name': 'web1',
    });
  });

  it('keeps what was given in one line, whatever is in it', () => {
    open().info('odd', { text: 'a\n{"event":"forged"}' });
    expect(linesOf(file)).to.have.length(1);
  });

  describe('an error in a field', () => {
    const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const error = new ServiceManagerError('MANAGER_UNREACHABLE', 'no manager', { cause });

    it('gives its message, code and cause', () => {
      open().warn('link.lost', { error });
      expect(linesOf(file)[0]?.['error']).to.deep.equal({
        message: 'no manager',
        code: 'MANAGER_UNREACHABLE',
        cause: { message: 'refused', code: 'ECONNREFUSED' },
      });
    });

    it('gives its stack, too, when debugging', () => {
      open(true).warn('link.lost', { error });
      expect(JSON.stringify(linesOf(file)[0]?.['error'])).to.include('log.spec.ts');
    });

    it('may be its own cause', () => {
      const own = new Error('round');
      own.cause = own;
      open().warn('odd', { err: own });
      expect(linesOf(file)).to.have.length(1);
    });
  });

  describe('reopen', () => {
    it('goes on in a new file after the old one was renamed', async () => {
      const log = open();
      log.info('before');
      renameSync(file, `${file}.1`);
      log.reopen();
      log.info('after');
      expect(linesOf(`${file}.1`).map((line) => line['event'])).to.deep.equal(['before']);
      expect(linesOf(file).map((line) => line['event'])).to.deep.equal(['after']);
      expect(statSync(file).mode & 0o777).to.equal(0o640);
      await eventually(() => openSizes(`${file}.1`).length === 0, 'the old file is closed');
    });

    it('throws, and goes on in the old file, when there can be no new one', () => {
      const log = open();
      renameSync(join(dir, 'log'), join(dir, 'old'));
      writeFileSync(join(dir, 'log'), 'a file, not a folder');
      expect(thrownBy(() => log.reopen())).to.have.property('code', 'BAD_CONFIG');
      log.info('still.here');
      expect(linesOf(join(dir, 'old', 'service-mgrd.log'))).to.have.length(1);
    });

    it('does nothing without a file', () => {
      const log = openLog({ name: 'test', debug: false });
      log.reopen();
      log.close();
    });
  });

  it('names the file and the reason when it cannot be written', () => {
    writeFileSync(join(dir, 'log'), 'a file, not a folder');
    const error = thrownBy(() => open());
    expect(error).to.be.instanceOf(ServiceManagerError);
    expect(error).to.have.property('code', 'BAD_CONFIG');
    expect(error)
      .to.have.property('message')
      .that.includes(file)
      .and.matches(/EEXIST|ENOTDIR/);
  });

  it('says nothing after close, which may be called twice', () => {
    const log = open();
    log.close();
    log.close();
    log.info('late');
    expect(linesOf(file)).to.deep.equal([]);
  });

  it('survives a full disk', () => {
    symlinkSync('/dev/full', join(dir, 'full'));
    file = join(dir, 'full');
    const log = open();
    for (let line = 0; line < 3; line += 1) log.info('line');
  });

  it('survives a standard error that nobody reads any more', async () => {
    const script = program('logs-to-a-closed-stderr.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', script], { stdio: 'pipe' });
    let said = '';
    child.stdout.on('data', (text) => {
      said += text;
    });
    child.stderr.destroy();
    child.stdin.end();
    const [exitCode] = await once(child, 'close');
    expect(said).to.equal('survived\n');
    expect(exitCode).to.equal(0);
  });
});
