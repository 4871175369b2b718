import { expect } from 'chai';
import { OutputFeed } from '../../../src/agent/output-feed.ts';
import type { NodeName } from '../../../src/wire/fields.ts';
import { OutputPiece } from '../../../src/wire/output.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';

/** A feed, and what it has sent: `0 stdout text`. */
function feeding() {
  const clock = new ManualClock();
  const pieces: OutputPiece[] = [];
  const send = (piece: OutputPiece) => pieces.push(OutputPiece.parse(piece));
  const feed = new OutputFeed({ node: 'web1' as NodeName, clock, send });
  const sent = () => pieces.splice(0).map(({ index, source, text }) => `${index} ${source} ${text}`);
  return { clock, feed, pieces, sent };
}

describe('what a watched action prints', () => {
  it('is sent on within 50 ms, what came meanwhile in one piece', () => {
    const { clock, feed, sent } = feeding();
    feed.onOutput('one\n', 'stdout');
    clock.advance(49);
    feed.onOutput('two\n', 'stdout');
    expect(sent()).to.deep.equal([]);
    clock.advance(1);
    expect(sent()).to.deep.equal(['0 stdout one\ntwo\n']);
    feed.onOutput('three\n', 'stdout');
    clock.advance(50);
    expect(sent()).to.deep.equal(['1 stdout three\n']);
  });

  it('is kept apart by where it comes from, in order', () => {
    const { clock, feed, sent } = feeding();
    feed.onOutput('a', 'stdout');
    feed.onOutput('b', 'stderr');
    feed.onOutput('c', 'stdout');
    clock.advance(50);
    expect(sent()).to.deep.equal(['0 stdout a', '1 stderr b', '2 stdout c']);
  });

  it('is sent at the end, and nothing after it', () => {
    const { clock, feed, sent } = feeding();
    feed.onOutput('last', 'stdout');
    feed.close();
    expect(sent()).to.deep.equal(['0 stdout last']);
    feed.onOutput('late', 'stdout');
    clock.advance(1_000);
    expect(sent()).to.deep.equal([]);
    expect(clock.pending).to.deep.equal([]);
  });

  it('is cut into pieces that a message may have, between characters', () => {
    const { feed, pieces } = feeding();
    const text = `x${'😀'.repeat(20_000)}`;
    feed.onOutput(text, 'stdout');
    feed.close();
    expect(pieces.length).to.be.greaterThan(2);
    expect(pieces.map((piece) => piece.text).join('')).to.equal(text);
    expect(pieces.every((piece) => !/^[\udc00-\udfff]/.test(piece.text))).to.equal(true);
  });

  it('is not sent on for ever', () => {
    const { feed, pieces } = feeding();
    for (let count = 0; count < 100; count += 1) feed.onOutput('x'.repeat(100_000), 'stdout');
    feed.close();
    const length = pieces.reduce((sum, { text }) => sum + text.length, 0);
    expect(length).to.be.lessThan(4.3 * 1024 * 1024);
    expect(pieces.at(-1)).to.include({ source: 'note', text: 'more output is not shown\n' });
  });
});
