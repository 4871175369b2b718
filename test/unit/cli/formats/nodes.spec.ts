import { expect } from 'chai';
import { formatNodeLine, formatNodesJson, formatNodesTable } from '../../../../src/cli/formats/nodes.ts';
import { hostileText, terminalControls } from '../../../fakes/answers.ts';
import { nodeInfo } from '../../../fakes/scripted-manager.ts';

describe('nodes', () => {
  it('are a table by name, with times that people read', () => {
    const nodes = [
      nodeInfo('web10', { presence: 'lost', lastSeenAgoMs: 185_000, roles: ['web', 'edge'] }),
      nodeInfo('web2', { os: undefined, osVersion: undefined, roles: [] }),
      nodeInfo('web1', { conflictingAgents: 2, osVersion: undefined }),
    ];
    expect(formatNodesTable(nodes)).to.equal(
      [
        'NODE   PRESENCE             SYSTEM  OS         ROLES     AGENT  SINCE     LAST SEEN',
        'web1   CONFLICT (2 agents)  Linux   debian     web       0.1.0  24 h ago  2 s ago',
        'web2   alive                Linux   -          -         0.1.0  24 h ago  2 s ago',
        'web10  lost                 Linux   debian 12  web,edge  0.1.0  24 h ago  3 min ago',
        '',
      ].join('\n'),
    );
  });

  it('are nothing as a table when there are none', () => expect(formatNodesTable([])).to.equal(''));

  it('count since when they are there by the clock of the manager', () => {
    const node = nodeInfo('web1', { sinceMs: 1_000_000, lastSeenMs: 1_050_000, lastSeenAgoMs: 130_000 });
    expect(formatNodesTable([node])).to.match(/ {2}3 min ago {2}2 min ago\n$/);
  });

  it('are JSON with all their fields, and their times as RFC 3339 beside', () => {
    const node = nodeInfo('web1');
    const moments = {
      since: '2025-12-31T00:00:00.000Z',
      lastSeen: '2025-12-31T23:59:58.000Z',
      agentStarted: '2025-12-31T22:00:00.000Z',
    };
    const text = formatNodesJson([nodeInfo('web2'), node]);
    expect(JSON.parse(text)).to.deep.equal([
      { ...node, ...moments },
      { ...nodeInfo('web2'), ...moments },
    ]);
    expect(text).to.match(/^\[\n {4}\{\n {8}"node": "web1",/);
    expect(formatNodeLine(node)).to.equal(`${JSON.stringify({ ...node, ...moments })}\n`);
  });

  it('have no moment where their clock runs wild', () => {
    expect(JSON.parse(formatNodeLine(nodeInfo('web1', { agentStartedMs: 1e20 })))).to.include({
      agentStarted: null,
    });
  });

  it('let no control of a node through to the terminal', () => {
    const node = nodeInfo('web1', { system: hostileText, os: hostileText, roles: [hostileText] });
    for (const text of [formatNodesTable([node]), formatNodesJson([node]), formatNodeLine(node)])
      expect(text).not.to.match(terminalControls);
  });
});
