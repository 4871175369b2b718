import { expect } from 'chai';
import { bodyOf, type Order } from '../../../src/client/order.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { requestId } from '../../fakes/scripted-manager.ts';

const clock = new ManualClock();
const order: Order = { topic: 'any', action: 'restart', service: 'nginx' };
const body = (changes: Partial<Order> = {}) => bodyOf({ ...order, ...changes }, clock, () => requestId);

describe('the body of an order', () => {
  it('has what was ordered, and nothing for what was not', () => {
    expect(body()).to.deep.equal({
      ...{ id: requestId, cmd: 'restart', topic: 'any', service: 'nginx' },
      ...{ windowMs: 5_000, notAfterMs: clock.wallMs() + 5_000, sentAtMs: clock.wallMs() },
    });
  });

  it('says whom to aim at, and what has to hold', () => {
    const aim = {
      ...{ nodes: ['web1', 'web2'], exclude: 'web3', limit: '25%', seed: 7, expect: 3 },
      ...{ plan: '0123456789abcdef', settleMs: 0, health: 'tcp:80' },
    };
    expect(body(aim)).to.deep.include(aim);
    expect(body({ actionTimeoutMs: 60_000 })).to.include({ timeoutMs: 60_000 });
  });

  it('of a rollout is good for a day, with a window for each batch', () => {
    const rollout = { batch: '25%', canary: 1, pauseMs: 10_000, maxFail: '2', order: 'random' as const };
    expect(body({ rollout, windowMs: 7_000 })).to.deep.include({
      ...{ rollout, windowMs: 7_000 },
      notAfterMs: clock.wallMs() + 86_400_000,
    });
  });
});
