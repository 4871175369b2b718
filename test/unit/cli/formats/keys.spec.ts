import { expect } from 'chai';
import { formatKeysJson, formatKeysTable } from '../../../../src/cli/formats/keys.ts';
import type { KeyInfo } from '../../../../src/wire/admin.ts';
import { hostileText, terminalControls } from '../../../fakes/answers.ts';

const now = Date.UTC(2026, 0, 1);
const fingerprint = `SHA256:${'a'.repeat(43)}`;

function keyInfo(changes: Partial<KeyInfo> = {}): KeyInfo {
  return {
    ...{ fingerprint, role: 'agent', name: 'web1', state: 'accepted', refusedOthers: 0, sinceMs: now },
    ...changes,
  };
}

const noteOf = (changes: Partial<KeyInfo>) => {
  const [, row = ''] = formatKeysTable([keyInfo(changes)], now).split('\n');
  return row.split(/ {2,}/).at(-1);
};

describe('keys', () => {
  it('are nothing as a table when there are none', () => expect(formatKeysTable([], now)).to.equal(''));

  it('say how long they wait, or are still good', () => {
    expect(noteOf({ state: 'pending', untilMs: now + 90_000 })).to.equal('forgotten in 1 min');
    expect(noteOf({ state: 'retiring', untilMs: now + 90_000 })).to.equal('good for 1 min more');
    expect(noteOf({})).to.equal('-');
  });

  it('say how often another key wanted their name', () => {
    expect(noteOf({ refusedOthers: 1 })).to.equal('another key wanted the name once: a cloned machine?');
    expect(noteOf({ state: 'retiring', untilMs: now, refusedOthers: 2 })).to.equal(
      'good for 0 s more; another key wanted the name 2 times: a cloned machine?',
    );
  });

  it('let no control through to the terminal', () => {
    const key = keyInfo({ name: hostileText, address: hostileText, by: hostileText });
    for (const text of [formatKeysTable([key], now), formatKeysJson([key])])
      expect(text).not.to.match(terminalControls);
  });
});
