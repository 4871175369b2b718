import { expect } from 'chai';
import { LiveOutput } from '../../../src/cli/live-output.ts';
import { Output } from '../../../src/cli/output.ts';
import type { NodeName } from '../../../src/wire/fields.ts';
import type { OutputPiece } from '../../../src/wire/output.ts';
import { RecordedTerminal } from '../../fakes/recorded-terminal.ts';

/** Shows what the nodes print, beginning with index 0 each. */
function showing(nodes: readonly string[] = ['web1', 'db1'], isData = true) {
  const terminal = new RecordedTerminal();
  const live = new LiveOutput(nodes, new Output(terminal), isData);
  const next = new Map<string, number>();
  const take = (node: string, text: string, changes: Partial<OutputPiece> = {}) => {
    const index = changes.index ?? next.get(node) ?? 0;
    next.set(node, index + 1);
    live.take({ node: node as NodeName, source: 'stdout', text, ...changes, index });
  };
  return { terminal, live, take };
}

describe('live output', () => {
  it('is printed line by line behind the name of its node, names of one width', () => {
    const { terminal, take } = showing();
    take('web1', 'one\ntwo\n');
    take('db1', 'three\n');
    expect(terminal.out).to.equal('web1 | one\nweb1 | two\ndb1  | three\n');
  });

  it('waits for the end of each line, for each node by itself', () => {
    const { terminal, live, take } = showing();
    take('web1', 'Star');
    take('db1', 'other\n');
    take('web1', 'ting\nnot over');
    expect(terminal.out).to.equal('db1  | other\nweb1 | Starting\n');
    live.close();
    expect(terminal.out).to.equal('db1  | other\nweb1 | Starting\nweb1 | not over\n');
  });

  it('goes to standard error where the answers are printed as well', () => {
    const { terminal, take } = showing(['web1'], false);
    take('web1', 'one\n');
    expect([terminal.out, terminal.error]).to.deep.equal(['', 'web1 | one\n']);
  });

  it('shows what a terminal would: the last state of a line, without colours and without what steers it', () => {
    const { terminal, take } = showing(['web1']);
    take('web1', ' 10 %\r 100 %\r\n\u001b[32mgreen\u001b[0m\n\u001b[2Jcleared\n');
    expect(terminal.out).to.equal('web1 |  100 %\nweb1 | green\nweb1 | \\x1b[2Jcleared\n');
  });

  it('does not gather a line that never ends', () => {
    const { terminal, take } = showing(['web1']);
    take('web1', 'x'.repeat(5_000));
    expect(terminal.out).to.have.length('web1 | \n'.length + 5_000);
  });

  it('says on standard error what the agent has to say of it, and that some of it was lost', () => {
    const { terminal, take } = showing(['web1']);
    take('web1', 'no pseudo-terminals here\n', { source: 'note' });
    take('web1', 'three\n', { index: 3 });
    take('web1', 'four\n');
    expect(terminal.error).to.equal('web1: no pseudo-terminals here\nweb1: some of its output was lost\n');
    expect(terminal.out).to.equal('web1 | three\nweb1 | four\n');
  });
});
