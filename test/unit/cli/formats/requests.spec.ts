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

  it('say who asked, where that is known of any', () => {
    const requests = [requestInfo({ by: 'operator alice' }), requestInfo()];
    expect(formatRequestsTable(requests, now)).to.equal(
      [
        'ID                                OPENED     ACTION   SERVICE  TARGET    BY              STATUS  OUTCOMES',
        `${requestId}  3 min ago  restart  nginx    role:web  operator alice  over    1 ok`,
        `${requestId}  3 min ago  restart  nginx    role:web  -               over    1 ok`,
        '',
      ].join('\n'),
    );
    const head = formatRequestHead(requestInfo({ by: 'operator alice' }), now);
    expect(head).to.include('\nby        operator alice\n');
  });

  it('say how many more nodes there are', () => {
    const request = requestInfo({ nodes: ['web2', 'web1'], moreNodes: 9_998 });
    expect(formatRequestsTable([request], now)).to.include('  web[1-2] and 9998 more  ');
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

  describe('that are rollouts', () => {
    const rollout = { batch: 2, batches: 5, started: 8 };
    const stopped = { ...rollout, stopped: '3 nodes failed, at most 2 allowed' };

    it('say in the table how far they are', () => {
      const requests = [
        requestInfo({ endedMs: undefined, rollout }),
        requestInfo({ rollout: stopped }),
        requestInfo({ rollout }),
        requestInfo({ endedMs: undefined, rollout, isCancelled: true }),
      ];
      const statuses = formatRequestsTable(requests, now)
        .split('\n')
        .slice(1, -1)
        .map((line) => line.slice(72).trim().split(/ {2,}/)[0]);
      expect(statuses).to.deep.equal(['open, batch 2/5', 'stopped', 'over', 'being cancelled']);
    });

    it('say in the head how many have had their turn, and why they stopped', () => {
      const head = formatRequestHead(requestInfo({ rollout: stopped }), now);
      expect(head).to.include('status    stopped after 4 s\n');
      expect(head).to.include(
        'rollout   batch 2/5, 8 nodes have had their turn; stopped: 3 nodes failed, at most 2 allowed\n',
      );
      expect(formatRequestHead(requestInfo({ rollout: { ...rollout, started: 1 } }), now)).to.include(
        'rollout   batch 2/5, 1 node has had its turn\n',
      );
    });
  });

  it('are cut in the table where their target is very long', () => {
    const topic = Array.from({ length: 100 }, (_, at) => `web${at}`).join(' or ');
    expect(formatRequestsTable([requestInfo({ topic })], now)).to.match(
      / {2}web0 or web1 or .{30,50}\.\.\. {2}over/,
    );
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
