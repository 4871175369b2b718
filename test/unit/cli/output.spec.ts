import { expect } from 'chai';
import { Output } from '../../../src/cli/output.ts';
import { RecordedTerminal, type RecordedTerminalOptions } from '../../fakes/recorded-terminal.ts';

describe('output', () => {
  it('keeps data and messages apart', async () => {
    const terminal = new RecordedTerminal();
    const output = new Output(terminal);
    output.data('[]\n');
    output.message('2 nodes gave no answer');
    await output.flush();
    expect(terminal.out).to.equal('[]\n');
    expect(terminal.error).to.equal('2 nodes gave no answer\n');
  });

  it('makes messages printable, line by line', async () => {
    const terminal = new RecordedTerminal();
    const output = new Output(terminal);
    output.message('web1:\u001b[2J\nweb2');
    await output.flush();
    expect(terminal.error).to.equal('web1:\\x1b[2J\nweb2\n');
  });

  it('flushes only when all has left the program', async () => {
    const terminal = new RecordedTerminal();
    const output = new Output(terminal);
    terminal.hold();
    output.data('first ');
    output.data('last');
    let isFlushed = false;
    const flushed = output.flush().then(() => {
      isFlushed = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isFlushed).to.equal(false);
    terminal.release();
    await flushed;
    expect(terminal.out).to.equal('first last');
  });

  it('takes a reader that has gone for no error', async () => {
    const terminal = new RecordedTerminal();
    const output = new Output(terminal);
    output.data('1\n');
    await output.flush();
    terminal.closeOutReader();
    output.data('2\n');
    await output.flush();
    expect(terminal.out).to.equal('1\n');
  });

  it('throws other trouble at the flush, once', async () => {
    const terminal = new RecordedTerminal();
    const output = new Output(terminal);
    const diskFull = new Error('no space left on device');
    terminal.failOut(diskFull);
    output.data('1\n');
    output.data('2\n');
    const failure = await output.flush().catch((error: unknown) => error);
    expect(failure).to.equal(diskFull);
    await output.flush();
  });

  it('throws a single trouble too', async () => {
    const terminal = new RecordedTerminal();
    const output = new Output(terminal);
    terminal.failOut(new Error('no space left on device'));
    output.data('1\n');
    expect(await output.flush().catch(String)).to.include('no space left');
  });

  it('knows the colour and width of the terminal', () => {
    const output = new Output(new RecordedTerminal({ isOutTerminal: true, isColor: true, columns: 80 }));
    expect([output.isColor, output.columns]).to.deep.equal([true, 80]);
  });

  describe('has a status line', () => {
    const shown = async (look: RecordedTerminalOptions, print: (output: Output) => void) => {
      const terminal = new RecordedTerminal(look);
      const output = new Output(terminal);
      print(output);
      await output.flush();
      return terminal.error;
    };
    const look = { isErrorTerminal: true, isOutTerminal: true, columns: 20 };

    it('that takes the place of the one before', async () => {
      const error = await shown(look, (output) => {
        output.status('one of 20');
        output.status('two');
      });
      expect(error).to.equal('\rone of 20\rtwo      ');
    });

    it('that is not written again when it says the same', async () => {
      const error = await shown(look, (output) => {
        output.status('one');
        output.status('one');
      });
      expect(error).to.equal('\rone');
    });

    it('that goes away before a message', async () => {
      const error = await shown(look, (output) => {
        output.status('one');
        output.message('web1');
      });
      expect(error).to.equal('\rone\r     \rweb1\n');
    });

    for (const [isOutTerminal, where] of [
      [true, 'goes away before data on the same terminal'],
      [false, 'stays when data goes elsewhere'],
    ] as const) {
      it(`that ${where}`, async () => {
        const error = await shown({ ...look, isOutTerminal }, (output) => {
          output.status('one');
          output.data('[]\n');
        });
        expect(error).to.equal(isOutTerminal ? '\rone\r     \r' : '\rone');
      });
    }

    it('that fits the terminal and has no controls in it', async () => {
      const error = await shown(look, (output) => output.status(`\u001b[2J${'x'.repeat(40)}`));
      expect(error).to.equal('\r\\x1b[2Jxxxxxxxxx...');
    });

    it('only on a terminal', async () => {
      const error = await shown({ ...look, isErrorTerminal: false }, (output) => output.status('one'));
      expect(error).to.equal('');
    });
  });
});
