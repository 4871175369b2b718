import { expect } from 'chai';
import { keepingManagers } from '../../../src/agent/kept-managers.ts';
import { fingerprintOf } from '../../../src/security/fingerprint.ts';
import { newCurveKeys } from '../../../src/security/keys.ts';
import type { KnownManager } from '../../../src/security/known-manager.ts';
import { Auditor } from '../../../src/store/auditor.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { RecordedAudit } from '../../fakes/recorded-audit.ts';
import { RecordedLog } from '../../fakes/recorded-log.ts';

const [key, nextKey] = [newCurveKeys().publicKey, newCurveKeys().publicKey];
const m1: KnownManager = { name: 'm1', key, endpoints: { join: 'tcp://m1:5850' } };

function keeping(fail: () => void = () => {}) {
  const [log, audit] = [new RecordedLog(), new RecordedAudit()];
  const kept: KnownManager[] = [];
  const keep = keepingManagers(
    (manager) => {
      fail();
      kept.push(manager);
    },
    { log, auditor: new Auditor(audit, log, new ManualClock()) },
  );
  return { log, audit, kept, keep };
}

describe('a key of a manager', () => {
  it('is kept, and told with the next one', () => {
    const { log, audit, kept, keep } = keeping();
    keep({ ...m1, nextKey });
    keep(m1);
    expect(kept).to.deep.equal([{ ...m1, nextKey }, m1]);
    const fingerprint = fingerprintOf({ curve: key });
    const told = [
      { name: 'm1', fingerprint, next: fingerprintOf({ curve: nextKey }) },
      { name: 'm1', fingerprint },
    ];
    expect(audit.named('manager.key_changed')).to.deep.equal(told);
    expect(log.named('manager.key_changed').map(({ fields }) => fields)).to.deep.equal(told);
  });

  it('that cannot be kept is a word in the log, and no end', () => {
    const error = new ServiceManagerError('BAD_CONFIG', 'no room');
    const { log, audit, keep } = keeping(() => {
      throw error;
    });
    keep(m1);
    expect(log.named('manager.not_kept').map(({ level, fields }) => [level, fields])).to.deep.equal([
      ['error', { name: 'm1', error }],
    ]);
    expect(audit.named('manager.key_changed')).to.have.length(1);
  });

  it('that changes again and again does not fill the logs', () => {
    const { log, audit, kept, keep } = keeping();
    for (let count = 0; count < 1_000; count += 1) keep(m1);
    expect(kept).to.have.length(1_000);
    expect(audit.named('manager.key_changed')).to.have.length(500);
    expect(log.named('manager.key_changed')).to.have.length(500);
  });

  it('that meets a bug of ours is an end', () => {
    const { keep } = keeping(() => {
      throw new TypeError('a bug');
    });
    expect(() => keep(m1)).to.throw(TypeError, 'a bug');
  });
});
