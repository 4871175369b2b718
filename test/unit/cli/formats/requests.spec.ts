import { expect } from 'chai';
import {
  formatRequestHead,
  formatRequestLine,
  formatRequestsJson,
  formatRequestsTable,
} from '../../../../src/cli/formats/requests.ts';
import { hostileText, terminalControls } from '../../../fakes/answers.ts';
import { requestId, requestInfo } from '../../../fakes/scripted-manager.ts';

const now = Date.UTC(2026, 0, 1);
const other = 'f'.repeat(32);

describe('requests', () => {
  it('are a table in the order they come', () => {
    const requests = [
      requestInfo({ id: other, counts: { failed: 1, ok: 12 } }),
      requestInfo({ endedMs: undefined, nodes: ['web2', 'web1'], counts: {} }),
      requestInfo({ endedMs: undefined, isCancelled: true }),
      requestInfo({ isCancelled: true, counts: { cancelled: 2 } }),
    ];
    expect(formatRequestsTable(requests, now)).to.equal(
      [
        'ID                                OPENED     ACTION   SERVICE  TARGET    STATUS           OUTCOMES',
        `${other}  3 min ago  restart  nginx    role:web  over             12 ok, 1 failed`,
        `${requestId}  3 min ago  restart  nginx    web[1-2]  open             -`,
        `${requestId}  3 min ago  restart  nginx    role:web  being cancelled  1 ok`,
        `${requestId}  3 min ago  restart  nginx    role:web  cancelled        2 cancelled`,
        '',
      ].join('\n'),
    );
  });

  it('are nothing as a table when there are none', () => expect(formatRequestsTable([], now)).to.equal(''));

  it('are JSON with all their fields, and their times as RFC 3339 beside', () => {
    const moments = {
      opened: '2025-12-31T23:57:00.000Z',
      ends: '2025-12-31T23:57:05.000Z',
      ended: '2025-12-31T23:57:04.000Z',
    };
    const info = requestInfo();
    expect(JSON.parse(formatRequestsJson([info]))).to.deep.equal([{ ...info, ...moments }]);
    expect(formatRequestLine(info)).to.equal(`${JSON.stringify({ ...info, ...moments })}\n`);
  });

  it('have no end as JSON while they are open', () => {
    expect(JSON.parse(formatRequestLine(requestInfo({ endedMs: undefined })))).to.not.have.property('ended');
  });

  it('have a head that says what became of them', () => {
    expect(formatRequestHead(requestInfo({ counts: { ok: 2, 'no-answer': 1 } }), now)).to.equal(
      [
        `request   ${requestId}`,
        'order     restart nginx on role:web',
        'opened    2025-12-31T23:57:00.000Z, 3 min ago',
        'status    over after 4 s',
        'outcomes  2 ok, 1 no-answer',
        '',
      ].join('\n'),
    );
    expect(formatRequestHead(requestInfo({ endedMs: undefined, counts: {} }), now)).to.match(
      /^status {4}open\noutcomes {2}-\n$/m,
    );
  });

  it('say in milliseconds how short they were', () => {
    const info = requestInfo();
    const head = formatRequestHead({ ...info, endedMs: info.openedMs + 35.4 }, now);
    expect(head).to.include('status    over after 35 ms\n');
  });

  it('let no control through to the terminal', () => {
    const info = requestInfo({ action: hostileText, topic: hostileText, service: hostileText });
    const texts = [
      formatRequestsTable([info], now),
      formatRequestsJson([info]),
      formatRequestLine(info),
      formatRequestHead(info, now),
    ];
    for (const text of texts) expect(text).not.to.match(terminalControls);
  });
});
