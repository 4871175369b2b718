import { expect } from 'chai';
import { formatNodeLine, formatNodesJson } from '../../../src/cli/formats/nodes.ts';
import { readNodeList } from '../../../src/core/node-list.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import type { NodeInfo } from '../../../src/wire/query.ts';
import { node } from './target-fleet.ts';

function info(name: string): NodeInfo {
  return {
    ...{
      node: node(name),
      presence: 'alive',
      conflictingAgents: 0,
      system: 'Linux',
      release: '',
      version: '',
    },
    ...{ machine: 'x86_64', agentVersion: '0.1.0', roles: [], topics: [], sinceMs: 0, lastSeenMs: 0 },
    ...{ lastSeenAgoMs: 0, agentStartedMs: 0 },
  };
}

describe('a list of nodes', () => {
  const good: ReadonlyArray<[what: string, text: string, names: string]> = [
    ['has one name on a line', 'web2\nweb10\ndb1\n', 'db1 web2 web10'],
    ['has each name once', 'web1\nweb1,web[1-2]', 'web1 web2'],
    ['may end without a line break', 'web1', 'web1'],
    [
      'may have folded names and commas',
      'web[08-10],db1\nr[1-2]w[1-2]',
      'db1 r1w1 r1w2 r2w1 r2w2 web08 web09 web10',
    ],
    ['may begin with a bracket', '[1-3]\n[5,7]', '1 2 3 5 7'],
    ['is not JSON for one line that looks like a list of numbers', '[1,3]', '1 3'],
    [
      'may have blanks, blank lines and comments',
      '# all\n\n  web1 \t\r\n\tweb2 # old, broken\r\n',
      'web1 web2',
    ],
    ['may begin with a byte order mark', '\ufeffweb1\n', 'web1'],
    ['may be a JSON array of names', ' ["web2", "web1"]\n', 'web1 web2'],
    ['may be a JSON array of objects with a node each', '[{"node":"web1","up":[1]}, "db1"]', 'db1 web1'],
    ['may be what nodes --format json prints', formatNodesJson(['web2', 'web1'].map(info)), 'web1 web2'],
    [
      'may be what nodes --format ndjson prints',
      ['web2', 'web1'].map(info).map(formatNodeLine).join(''),
      'web1 web2',
    ],
  ];
  for (const [what, text, names] of good) {
    it(what, () => expect(readNodeList(text).join(' ')).to.equal(names));
  }

  const aName = 'expected a host name of 1 to 255 letters, digits, dots, dashes and underscores';
  const wrong: ReadonlyArray<[text: string, message: string]> = [
    ['', 'no name in it, expected at least one'],
    ['# nobody\n\n', 'no name in it, expected at least one'],
    ['[]', 'no name in it, expected at least one'],
    ['web1\nweb 2\n', 'line 2: node set "web 2": expected names like web[01-38,40],db1'],
    ['web1\n\nweb[3-1]\n', 'line 3: node set "web[3-1]": expected names like web[01-38,40],db1'],
    ['web1\nrole:web', `line 2 is "role:web", ${aName}`],
    ['-rf', `line 1 is "-rf", ${aName}`],
    ['w'.repeat(256), `line 1 is "${'w'.repeat(60)}", ${aName}`],
    ['["web1", 2]', `entry 2 is no name and no field "node", ${aName}`],
    ['["web1", null]', `entry 2 is no name and no field "node", ${aName}`],
    ['[{"name": "web1"}]', `entry 1 is no name and no field "node", ${aName}`],
    ['[{"node": "web*"}]', `entry 1 is "web*", ${aName}`],
    ['["web[1-2]"]', `entry 1 is "web[1-2]", ${aName}`],
    ['["web1"', 'the text is no good JSON, expected what "nodes --format json" prints'],
    ['web1\n{"node": web2}', 'line 2 is no good JSON, expected what "nodes --format json" prints'],
    ['{"nodes": ["web1"]}', `line 1 is no name and no field "node", ${aName}`],
    ['a[1-60000]\nb[1-60000]', 'more than 100000 names'],
  ];
  for (const [text, message] of wrong) {
    it(`is refused: ${JSON.stringify(text.slice(0, 30))}`, () => {
      expect(() => readNodeList(text))
        .to.throw(ServiceManagerError)
        .that.includes({ code: 'BAD_TARGET', message: `node list: ${message}` });
    });
  }
});
