import { expect } from 'chai';
import { OwnKeys } from '../../../src/manager/own-keys.ts';
import { curveBytes, newCurveKeys } from '../../../src/security/keys.ts';
import { RecordedKeeper } from '../../fakes/gatehouses.ts';
import { refusalOf } from '../security/refusal.ts';

const [first, second, third, fourth] = [newCurveKeys(), newCurveKeys(), newCurveKeys(), newCurveKeys()];

function keys() {
  const keeper = new RecordedKeeper();
  return { keeper, own: new OwnKeys({ current: first }, keeper) };
}

describe('the keys of a manager', () => {
  it('are one pair as long as nobody wants another', () => {
    const { own, keeper } = keys();
    expect([own.current, own.nextKey, own.switchesWallMs]).to.deep.equal([first, undefined, undefined]);
    expect(own.proving).to.deep.equal([first]);
    expect(own.isDue(Number.MAX_SAFE_INTEGER)).to.equal(false);
    own.switchOver(1);
    expect([own.current, keeper.calls]).to.deep.equal([first, []]);
  });

  it('are what a bound socket speaks with, in the name of its door', () => {
    const { own } = keys();
    const raw = { publicKey: curveBytes(first.publicKey), secretKey: curveBytes(first.secretKey) };
    expect(own.securityOf('sink')).to.deep.equal({ kind: 'server', domain: 'sink', ...raw });
  });

  it('may be found with a next pair, as an earlier run left them', () => {
    const own = new OwnKeys(
      { current: first, next: { pair: second, switchesWallMs: 50 } },
      new RecordedKeeper(),
    );
    expect([own.current, own.nextKey, own.isDue(49), own.isDue(50)]).to.deep.equal([
      first,
      second.publicKey,
      false,
      true,
    ]);
  });
});

describe('a new key of a manager', () => {
  it('is kept before anybody is told of it, and not used before its time', () => {
    const { own, keeper } = keys();
    own.rotate(second, 50);
    expect(keeper.calls).to.deep.equal([`next ${second.publicKey} at 50`]);
    expect([own.current, own.nextKey, own.switchesWallMs]).to.deep.equal([first, second.publicKey, 50]);
    expect(own.proving).to.deep.equal([first]);
    expect([own.isDue(49), own.isDue(50)]).to.deep.equal([false, true]);
  });

  it('takes the place of another one that was to be used', () => {
    const { own } = keys();
    own.rotate(second, 50);
    own.rotate(third, 70);
    expect([own.nextKey, own.isDue(69)]).to.deep.equal([third.publicKey, false]);
    own.switchOver(70);
    expect(own.proving).to.deep.equal([third, first]);
  });

  it('is no news when it cannot be kept', () => {
    const { own, keeper } = keys();
    own.rotate(second, 50);
    keeper.isFailing = true;
    expect(refusalOf(() => own.rotate(third, 70)).code).to.equal('BAD_CONFIG');
    expect([own.current, own.nextKey, own.switchesWallMs]).to.deep.equal([first, second.publicKey, 50]);
  });

  it('is used from now on, and alone to bind with', () => {
    const { own, keeper } = keys();
    own.rotate(second, 50);
    own.switchOver(50);
    expect(keeper.calls.at(-1)).to.equal('promote');
    expect([own.current, own.nextKey, own.isDue(60)]).to.deep.equal([second, undefined, false]);
    expect(own.securityOf('join').publicKey).to.deep.equal(curveBytes(second.publicKey));
  });

  it('is not used when that cannot be kept, and is still due', () => {
    const { own, keeper } = keys();
    own.rotate(second, 50);
    keeper.isFailing = true;
    expect(refusalOf(() => own.switchOver(50)).code).to.equal('BAD_CONFIG');
    expect([own.current, own.nextKey, own.isDue(50)]).to.deep.equal([first, second.publicKey, true]);
    expect(own.proving).to.deep.equal([first]);
  });
});

describe('a key that a manager had before', () => {
  it('still proves for ten minutes', () => {
    const { own } = keys();
    own.rotate(second, 50);
    own.switchOver(1_000);
    own.forgetFormer(600_999);
    expect(own.proving).to.deep.equal([second, first]);
    own.forgetFormer(601_000);
    expect(own.proving).to.deep.equal([second]);
  });

  it('is one of two at most', () => {
    const { own } = keys();
    for (const pair of [second, third, fourth]) {
      own.rotate(pair, 1);
      own.switchOver(1);
    }
    expect(own.proving).to.deep.equal([fourth, third, second]);
  });
});
