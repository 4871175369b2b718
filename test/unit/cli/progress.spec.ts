import { expect } from 'chai';
import { Output } from '../../../src/cli/output.ts';
import { type Awaited, Progress } from '../../../src/cli/progress.ts';
import { statusAnswer, troubleAnswer } from '../../fakes/answers.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { RecordedTerminal, type RecordedTerminalOptions } from '../../fakes/recorded-terminal.ts';

const nodes = ['web1', 'web2', 'web7'];

function begin(awaited: Partial<Awaited> = {}, look: RecordedTerminalOptions = {}) {
  const terminal = new RecordedTerminal({ isErrorTerminal: true, columns: 80, ...look });
  const clock = new ManualClock();
  const output = new Output(terminal);
  const progress = new Progress({ nodes, expected: nodes.length, ...awaited }, output, clock);
  /** What stands on the line now. */
  const line = () =>
    terminal.error
      .split('\r')
      .findLast((text) => text !== '')
      ?.trimEnd();
  return { terminal, clock, output, progress, line };
}

describe('progress', () => {
  it('says how many have answered and who has not', () => {
    const { clock, progress, line } = begin();
    progress.answered(statusAnswer('web1'));
    clock.advance(100);
    expect(line()).to.equal('1/3 answered, waiting for web2, web7');
  });

  it('is rewritten in place, without rests of a longer text', () => {
    const { terminal, clock, progress } = begin();
    clock.advance(100);
    progress.answered(statusAnswer('web1'));
    clock.advance(100);
    expect(terminal.error).to.equal(
      '\r0/3 answered, waiting for web1, web2, web7\r1/3 answered, waiting for web2, web7      ',
    );
  });

  it('says nothing when all is over at once', () => {
    const { terminal, clock, progress } = begin();
    clock.advance(99);
    progress.close();
    clock.advance(1_000);
    expect(terminal.error).to.equal('');
    expect(clock.pending).to.deep.equal([]);
  });

  it('is written ten times a second at most, and only when something is new', () => {
    const { terminal, clock, progress } = begin({ nodes: [], expected: 1_000 });
    for (let at = 0; at < 500; at += 1) {
      progress.answered(statusAnswer(`n${at}`));
      clock.advance(2);
    }
    clock.advance(10_000);
    expect(terminal.error.split('\r').length - 1).to.be.within(9, 11);
  });

  it('goes away at the end, with the ^C of the terminal behind it', () => {
    const { terminal, clock, progress } = begin();
    clock.advance(100);
    progress.close();
    const { length } = '0/3 answered, waiting for web1, web2, web7';
    expect(terminal.error.endsWith(`\r${' '.repeat(length + 2)}\r`)).to.equal(true);
  });

  it('goes away before a message, and stands below it again when something is new', async () => {
    const { terminal, clock, output, progress } = begin();
    clock.advance(100);
    output.message('something');
    progress.answered(statusAnswer('web1'));
    clock.advance(100);
    await output.flush();
    expect(terminal.error).to.match(/ \rsomething\n\r1\/3 answered/);
  });

  it('folds names that do not fit the line', () => {
    const web = Array.from({ length: 40 }, (_, at) => `web${at + 1}`);
    const { clock, line } = begin({ nodes: web, expected: 40 });
    clock.advance(100);
    expect(line()).to.equal('0/40 answered, waiting for web[1-40]');
  });

  it('does not fold names that just fit the line', () => {
    const plain = '0/3 answered, waiting for web1, web2, web7';
    for (const [columns, expected] of [
      [plain.length + 1, plain],
      [plain.length, '0/3 answered, waiting for web[1-2,7]'],
    ] as const) {
      const { clock, line } = begin({}, { columns });
      clock.advance(100);
      expect(line()).to.equal(expected);
    }
  });

  it('is cut to the width of the terminal, and to 79 where that is not known', () => {
    const odd = Array.from({ length: 40 }, (_, at) => `n${'x'.repeat(at)}`);
    for (const [columns, width] of [
      [40, 39],
      [undefined, 79],
    ] as const) {
      const look = columns === undefined ? {} : { columns };
      const terminal = new RecordedTerminal({ isErrorTerminal: true, ...look });
      const clock = new ManualClock();
      new Progress({ nodes: odd, expected: 40 }, new Output(terminal), clock);
      clock.advance(100);
      expect(terminal.error).to.match(new RegExp(`^\\r.{${width - 3}}\\.\\.\\.$`));
    }
  });

  it('only counts nodes that no line holds', () => {
    const crowd = Array.from({ length: 501 }, (_, at) => `n${at}`);
    const { clock, line } = begin({ nodes: crowd, expected: 503 });
    clock.advance(100);
    expect(line()).to.equal('0/503 answered, waiting for 503 nodes');
  });

  it('counts v1 agents, which have no names', () => {
    const { clock, progress, line } = begin({ expected: 6 });
    progress.answered(troubleAnswer(undefined, '', 'no'));
    progress.answered(statusAnswer('web1'));
    clock.advance(100);
    expect(line()).to.equal('2/6 answered, waiting for web2, web7, 2 v1 agents');
    progress.answered(statusAnswer('old1'));
    clock.advance(100);
    expect(line()).to.equal('3/6 answered, waiting for web2, web7, 1 v1 agent');
  });

  it('waits for nobody when all have answered', () => {
    const { clock, progress, line } = begin({ nodes: ['web1'], expected: 1 });
    progress.answered(statusAnswer('web1'));
    clock.advance(100);
    expect(line()).to.equal('1/1 answered');
  });

  it('only counts answers where a v1 manager does not say whom it asked', () => {
    const { clock, progress, line } = begin({ nodes: [], expected: undefined });
    progress.answered(statusAnswer('web1'));
    clock.advance(100);
    expect(line()).to.equal('1 answered');
  });

  it('is nothing where standard error is no terminal', () => {
    const { terminal, clock } = begin({}, { isErrorTerminal: false });
    expect(clock.pending).to.deep.equal([]);
    clock.advance(1_000);
    expect(terminal.error).to.equal('');
  });

  it('lets no control of a node through to the terminal', () => {
    const { terminal, clock } = begin({ nodes: ['\u001b[2J'], expected: 1 });
    clock.advance(100);
    expect(terminal.error).to.equal('\r0/1 answered, waiting for \\x1b[2J');
  });
});

describe('the progress of a rollout', () => {
  const begun = { batch: 1, batches: 5, started: 1 };

  it('says which batch it is and how many of it have answered', () => {
    const { clock, progress, line } = begin();
    progress.advanced(begun);
    clock.advance(100);
    expect(line()).to.equal('batch 1/5: 0 of 1 answered');
    progress.answered(statusAnswer('web1'));
    progress.advanced({ batch: 2, batches: 5, started: 5 });
    progress.answered(statusAnswer('web2'));
    clock.advance(100);
    expect(line()).to.equal('batch 2/5: 1 of 4 answered');
  });

  it('counts a pause down', () => {
    const { clock, progress, line } = begin();
    progress.advanced({ ...begun, pauseUntilMs: clock.wallMs() + 10_500 });
    progress.answered(statusAnswer('web1'));
    clock.advance(100);
    expect(line()).to.equal('batch 1/5: 1 of 1 answered, pause 10 s');
    clock.advance(5_000);
    expect(line()).to.equal('batch 1/5: 1 of 1 answered, pause 5 s');
    clock.advance(60_000);
    expect(line()).to.equal('batch 1/5: 1 of 1 answered');
    expect(clock.pending).to.deep.equal([]);
  });

  it('claims no size of a batch whose beginning was not seen', () => {
    const { clock, progress, line } = begin();
    progress.advanced({ batch: 3, batches: 5, started: 9 });
    progress.answered(statusAnswer('web1'));
    clock.advance(100);
    expect(line()).to.equal('batch 3/5: 1 answered');
    progress.advanced({ batch: 4, batches: 5, started: 13 });
    clock.advance(100);
    expect(line()).to.equal('batch 4/5: 0 of 4 answered');
  });

  it('knows that none has begun', () => {
    const { clock, progress, line } = begin();
    progress.advanced({ batch: 0, batches: 5, started: 0 });
    clock.advance(100);
    expect(line()).to.equal('0/5 batches');
  });

  it('does not come back when it is closed', () => {
    const { terminal, clock, progress } = begin();
    clock.advance(100);
    progress.close();
    const shown = terminal.error;
    progress.advanced(begun);
    clock.advance(1_000);
    expect([terminal.error, clock.pending]).to.deep.equal([shown, []]);
  });
});
