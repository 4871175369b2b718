import { expect } from 'chai';
import * as zmq from 'zeromq';
import { Admission } from '../../../../src/platform/admission.ts';
import { Authenticator } from '../../../../src/platform/zmq/authenticator.ts';
import { closeAndWait } from '../../../../src/platform/zmq/monitor.ts';
import { isServiceManagerError } from '../../../../src/wire/errors.ts';
import { ManualClock } from '../../../fakes/manual-clock.ts';

const zapEndpoint = 'inproc://zeromq.zap.01';
const key = Buffer.alloc(32, 7);
const curve = ['1.0', 'id', 'frontend', '10.0.0.1', '', 'CURVE', key];

describe('the authenticator', () => {
  let context: zmq.Context;
  let admission: Admission;
  let authenticator: Authenticator;
  let asking: zmq.Dealer;
  let reasons: string[];
  beforeEach(async () => {
    reasons = [];
    context = new zmq.Context({ blocky: false });
    admission = new Admission({ clock: new ManualClock() });
    admission.authenticate(() => true, { onRefused: ({ reason }) => reasons.push(reason) });
    authenticator = new Authenticator(context, admission);
    await authenticator.acquire();
    asking = new zmq.Dealer({ context, linger: 0, receiveTimeout: 5_000 });
    asking.connect(zapEndpoint);
  });
  afterEach(() => {
    asking.close();
    return authenticator.release();
  });

  async function statusOf(...frames: (string | Buffer)[]): Promise<string> {
    await asking.send(['', ...frames]);
    const [, , id, status] = await asking.receive();
    return `${id} ${status}`;
  }

  it('answers by what was decided', async () => {
    expect(await statusOf(...curve)).to.equal('id 200');
    admission.authenticate(() => false);
    expect(await statusOf(...curve)).to.equal('id 400');
  });

  it('answers also what is no request, with a no', async () => {
    expect(await statusOf('1.0', 'broken')).to.equal('broken 400');
    expect(await statusOf('nonsense')).to.equal(' 400');
    expect(await statusOf(...curve.slice(0, -1))).to.equal('id 400');
    expect(reasons).to.deep.equal(['protocol', 'protocol', 'protocol']);
    expect(await statusOf(...curve)).to.equal('id 200');
  });

  it('says no to every other mechanism, without asking the decider', async () => {
    for (const mechanism of ['NULL', 'PLAIN', 'GSSAPI'])
      expect(await statusOf('1.0', 'id', 'frontend', '10.0.0.1', '', mechanism, 'a', 'b')).to.equal('id 400');
    expect(reasons).to.deep.equal(['mechanism', 'mechanism', 'mechanism']);
  });

  it('answers many at once, each its own', async () => {
    admission.authenticate(({ address }) => Number(address.slice(-1)) % 2 === 0);
    for (let id = 0; id < 100; id += 1)
      await asking.send(['', '1.0', `${id}`, 'frontend', `10.0.0.${id % 10}`, '', 'CURVE', key]);
    for (let answer = 0; answer < 100; answer += 1) {
      const [, , id, status] = await asking.receive();
      expect(`${status}`).to.equal(Number(id) % 2 === 0 ? '200' : '400');
    }
  });

  it('runs as long as somebody uses it, and can run again', async () => {
    await authenticator.acquire();
    await authenticator.release();
    expect(await statusOf(...curve)).to.equal('id 200');
    asking.close();
    await authenticator.release();
    const other = new zmq.Router({ context, linger: 0 });
    await other.bind(zapEndpoint);
    let failure: unknown;
    await authenticator.acquire().catch((error) => {
      failure = error;
    });
    if (!isServiceManagerError(failure)) throw new Error('it ran although another one does');
    expect(failure.code).to.equal('ENDPOINT_UNUSABLE');
    await authenticator.release();
    await closeAndWait(other);
    await authenticator.acquire();
    asking = new zmq.Dealer({ context, linger: 0, receiveTimeout: 5_000 });
    asking.connect(zapEndpoint);
    expect(await statusOf(...curve)).to.equal('id 200');
  });
});
