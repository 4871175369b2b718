import { expect } from 'chai';
import { storedRequestOf } from '../../../src/manager/request-records.ts';
import type { ActionName, ServiceName } from '../../../src/wire/fields.ts';
import { type CheckedRequest, RequestBody } from '../../../src/wire/request.ts';
import { idOf } from '../../fakes/stored-requests.ts';

function checkedRequest(more: Partial<RequestBody>): CheckedRequest {
  const body: RequestBody = {
    id: idOf(1),
    cmd: 'restart' as ActionName,
    topic: 'any',
    service: 'nginx' as ServiceName,
    ...more,
  };
  return { version: 'v2', body, bodyBytes: RequestBody.encode(body), signature: '' };
}

describe('what is kept of a request', () => {
  const kept = (more: Partial<RequestBody>) =>
    storedRequestOf(checkedRequest(more), { anonymous: 0, withheld: 0 }, 1_000, 5_000, undefined);

  it('says until when it is good, where its body says so', () => {
    expect(kept({ notAfterMs: 7_000 })).to.include({ notAfterWallMs: 7_000, endsWallMs: 6_000 });
    expect(kept({})).to.not.have.property('notAfterWallMs');
  });

  it('has no time that a database would not give back, whatever a client wrote', () => {
    for (const notAfterMs of [2 ** 53 + 2, 2 ** 63, 1e300])
      expect(kept({ notAfterMs }).notAfterWallMs).to.equal(Number.MAX_SAFE_INTEGER);
  });
});
