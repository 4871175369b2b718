import { expect } from 'chai';
import { OpenRequests } from '../../../src/manager/open-requests.ts';
import type { Fingerprint } from '../../../src/security/fingerprint.ts';
import { checkedRequest } from '../../fakes/manager-desks.ts';
import { idOf } from '../../fakes/stored-requests.ts';

const [alice, bob] = ['SHA256:alice' as Fingerprint, 'SHA256:bob' as Fingerprint];
const signed = { bytes: Buffer.from('{}'), signature: '1.x.y' };
const request = checkedRequest(idOf(1));

const by = (sender: Fingerprint | undefined, isByName = false) => ({ sender, isByName });

describe('an open request', () => {
  it('is kept as it is sent again, until it is over', () => {
    const open = new OpenRequests();
    open.add(request, by(alice));
    expect(open.dispatchable(idOf(1))).to.equal(request);
    open.forget(idOf(1));
    expect(open.dispatchable(idOf(1))).to.equal(undefined);
  });

  it('counts as one of who has sent it, and of nobody else', () => {
    const open = new OpenRequests();
    open.add(request, by(alice));
    open.add(checkedRequest(idOf(2)), by(alice));
    open.add(checkedRequest(idOf(3)), by(undefined));
    expect([open.countOf(alice), open.countOf(bob)]).to.deep.equal([2, 0]);
    open.forget(idOf(2));
    expect(open.countOf(alice)).to.equal(1);
  });

  it('is known as one that was sent by name, or not, until it is over', () => {
    const open = new OpenRequests();
    open.add(request, by(alice, true));
    open.add(checkedRequest(idOf(2)), by(alice));
    expect([1, 2].map((number) => open.isByName(idOf(number)))).to.deep.equal([true, false]);
    open.forget(idOf(1));
    expect(open.isByName(idOf(1))).to.equal(undefined);
  });

  it('keeps the words of who has cancelled it, also from an earlier run', () => {
    const open = new OpenRequests();
    open.add(request, by(alice));
    expect(open.cancellation(idOf(1))).to.equal(undefined);
    open.cancel(idOf(1), signed);
    open.add(checkedRequest(idOf(2)), by(alice), signed);
    expect([open.cancellation(idOf(1)), open.cancellation(idOf(2))]).to.deep.equal([signed, signed]);
  });

  it('that is over keeps nothing of who cancels it then', () => {
    const open = new OpenRequests();
    open.add(request, by(alice));
    open.forget(idOf(1));
    open.cancel(idOf(1), signed);
    expect(open.cancellation(idOf(1))).to.equal(undefined);
  });
});
