import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { NodeTerminal } from '../../src/platform/node/terminal.ts';
import type { Terminal } from '../../src/platform/terminal.ts';
import { RecordedTerminal } from '../fakes/recorded-terminal.ts';

interface Tried {
  readonly terminal: Terminal;
  /** Ends the output and tells what came out. */
  outText(): Promise<string>;
  closeOutReader(): Promise<void>;
}

function recorded(): Tried {
  const terminal = new RecordedTerminal();
  return {
    terminal,
    outText: async () => terminal.out,
    closeOutReader: async () => terminal.closeOutReader(),
  };
}

const readers: ChildProcess[] = [];

/** The real one, on a real pipe to cat(1). */
function onPipe(): Tried {
  const reader = spawn('cat', { stdio: ['pipe', 'pipe', 'ignore'] });
  readers.push(reader);
  const text = read(reader);
  const terminal = new NodeTerminal({
    stdin: new PassThrough(),
    stdout: reader.stdin,
    stderr: new PassThrough(),
    env: {},
  });
  return {
    terminal,
    outText: () => {
      reader.stdin.end();
      return text;
    },
    closeOutReader: async () => {
      reader.kill('SIGKILL');
      await once(reader, 'close');
    },
  };
}

async function read(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  await once(child, 'close');
  return text;
}

for (const [name, open] of Object.entries({ recorded, 'on a pipe': onPipe })) {
  describe(`terminal, ${name}`, () => {
    afterEach(() => {
      for (const reader of readers.splice(0)) reader.kill('SIGKILL');
    });

    it('writes in the order of the calls, also when nobody waits', async () => {
      const { terminal, outText } = open();
      const lines = Array.from({ length: 1_000 }, (_, at) => `${at}\n`);
      await Promise.all(lines.map((line) => terminal.writeOut(line)));
      expect(await outText()).to.equal(lines.join(''));
    });

    it('takes a closed reader for no error, now and later', async () => {
      const { terminal, closeOutReader } = open();
      await terminal.writeOut('before');
      await closeOutReader();
      for (let at = 0; at < 10; at += 1) await terminal.writeOut('after'.repeat(100_000));
      await Promise.all([terminal.writeOut('x'), terminal.writeOut('y')]);
    });

    it('settles what was being written when the reader went', async () => {
      const { terminal, closeOutReader } = open();
      const writes = [1, 2, 3].map(() => terminal.writeOut('x'.repeat(1_000_000)));
      await closeOutReader();
      await Promise.all(writes);
    });

    it('writes an empty text', async () => {
      const { terminal, outText } = open();
      await terminal.writeOut('');
      expect(await outText()).to.equal('');
    });

    it('is no terminal, without width and colour', () => {
      const { isOutTerminal, isErrorTerminal, columns, isColor } = open().terminal;
      expect({ isOutTerminal, isErrorTerminal, columns, isColor }).to.deep.equal({
        isOutTerminal: false,
        isErrorTerminal: false,
        columns: undefined,
        isColor: false,
      });
    });
  });
}

interface Asked {
  readonly terminal: Terminal;
  /** What was printed as question. */
  printed(): string;
}

function recordedWith(input: string): Asked {
  const terminal = new RecordedTerminal({ typed: input, input });
  return { terminal, printed: () => terminal.error };
}

function onStreamsWith(input: string): Asked {
  const stdin = new PassThrough();
  const stderr = new PassThrough();
  stdin.end(input);
  const terminal = new NodeTerminal({ stdin, stdout: new PassThrough(), stderr, env: {} });
  return { terminal, printed: () => String(stderr.read() ?? '') };
}

for (const [name, open] of Object.entries({ recorded: recordedWith, 'on streams': onStreamsWith })) {
  describe(`terminal, ${name}, on which something is typed`, () => {
    it('asks on standard error and takes the line', async () => {
      const { terminal, printed } = open('yes\n');
      expect(await terminal.ask('well? ')).to.equal('yes');
      expect(printed()).to.equal('well? ');
    });

    it('takes an empty line, and one without a line end', async () => {
      expect(await open('\n').terminal.ask('well? ')).to.equal('');
      expect(await open('no').terminal.ask('well? ')).to.equal('no');
    });

    it('takes the end of the input for no answer', async () => {
      expect(await open('').terminal.ask('well? ')).to.equal(undefined);
    });

    it('takes nothing when it is aborted', async () => {
      const { terminal } = open('yes\n');
      expect(await terminal.ask('well? ', AbortSignal.abort())).to.equal(undefined);
      expect(await terminal.readInput(AbortSignal.abort())).to.equal(undefined);
    });

    it('reads all of the input, whatever is in it', async () => {
      const text = `web1\nwéb2 ${'x'.repeat(200_000)}\n\nend`;
      expect(await open(text).terminal.readInput()).to.equal(text);
      expect(await open('').terminal.readInput()).to.equal('');
    });
  });
}

function tty(columns = 80) {
  return Object.assign(new PassThrough(), { isTTY: true, columns });
}

describe('the real terminal', () => {
  it('knows a terminal, its width and that it can be coloured', () => {
    const terminal = new NodeTerminal({
      stdin: new PassThrough(),
      stdout: tty(132),
      stderr: new PassThrough(),
      env: { TERM: 'xterm' },
    });
    expect([terminal.isOutTerminal, terminal.isErrorTerminal]).to.deep.equal([true, false]);
    expect([terminal.columns, terminal.isColor]).to.deep.equal([132, true]);
  });

  it('asks where both input and messages are a terminal, until the input was read', async () => {
    const canAsk = (stdin: PassThrough, stderr: PassThrough) =>
      new NodeTerminal({ stdin, stdout: new PassThrough(), stderr, env: {} }).canAsk;
    const none = () => new PassThrough();
    expect([canAsk(tty(), tty()), canAsk(tty(), none()), canAsk(none(), tty())]).to.deep.equal([
      true,
      false,
      false,
    ]);
    const stdin = tty();
    const terminal = new NodeTerminal({ stdin, stdout: none(), stderr: tty(), env: {} });
    stdin.end('web1\n');
    expect([await terminal.readInput(), terminal.canAsk]).to.deep.equal(['web1\n', false]);
  });

  it('waits for nothing more when it is aborted meanwhile', async () => {
    const open = () => new NodeTerminal({ stdin: tty(), stdout: tty(), stderr: tty(), env: {} });
    for (const wait of [
      (signal: AbortSignal) => open().ask('well? ', signal),
      (signal: AbortSignal) => open().readInput(signal),
    ]) {
      const leaving = new AbortController();
      const waiting = wait(leaving.signal);
      setImmediate(() => leaving.abort());
      expect(await waiting).to.equal(undefined);
    }
  });

  it('rejects when the input cannot be read', async () => {
    const stdin = tty();
    const terminal = new NodeTerminal({ stdin, stdout: tty(), stderr: tty(), env: {} });
    const failure = new Error('is a directory');
    setImmediate(() => stdin.destroy(failure));
    expect(await terminal.readInput().catch((error: unknown) => error)).to.equal(failure);
  });

  it('honours NO_COLOR unless it is empty, and dumb terminals', () => {
    const isColor = (env: Record<string, string>) =>
      new NodeTerminal({ stdin: tty(), stdout: tty(), stderr: tty(), env }).isColor;
    expect([isColor({ NO_COLOR: '1' }), isColor({ NO_COLOR: '' }), isColor({ TERM: 'dumb' })]).to.deep.equal([
      false,
      true,
      false,
    ]);
  });

  it('says nothing of the width where the terminal does not know it', () => {
    expect(new NodeTerminal({ stdin: tty(), stdout: tty(0), stderr: tty(), env: {} }).columns).to.equal(
      undefined,
    );
  });

  it('rejects other trouble than a closed pipe, without ending the program', async () => {
    const diskFull = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    const stdout = new Writable({ write: (_chunk, _encoding, done) => done(diskFull) });
    const terminal = new NodeTerminal({ stdin: tty(), stdout, stderr: new PassThrough(), env: {} });
    expect(await terminal.writeOut('x').catch((error: unknown) => error)).to.equal(diskFull);
  });
});

const program = `
  import { NodeTerminal } from ${JSON.stringify(new URL('../../src/platform/node/terminal.ts', import.meta.url).href)};
  const terminal = new NodeTerminal(process);
  for (let at = 0; at < 50; at += 1) terminal.writeOut('x'.repeat(99_999) + '\\n');
  await terminal.writeOut('end\\n');
  await terminal.writeError('done');
  process.exit(3);
`;

function startProgram() {
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  return spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], { cwd });
}

describe('a program that prints five million characters and exits', () => {
  it('has printed all of them to a slow reader', async () => {
    const child = startProgram();
    child.stdout.pause();
    setTimeout(() => child.stdout.resume(), 300);
    const text = await read(child);
    expect(text.length).to.equal(5_000_004);
    expect(text.endsWith('\nend\n')).to.equal(true);
    expect(child.exitCode).to.equal(3);
  });

  it('exits with its own code and without a word when the reader closes early', async () => {
    const child = startProgram();
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      errors += part;
    });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    await once(child, 'close');
    expect([child.exitCode, child.signalCode, errors]).to.deep.equal([3, null, 'done']);
  });
});
