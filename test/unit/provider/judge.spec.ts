import { expect } from 'chai';
import fc from 'fast-check';
import type { StatusEvidence } from '../../../src/provider/judge.ts';
import { judge } from '../../../src/provider/judge.ts';
import { noPids, type PidEvidence } from '../../../src/provider/main-pid.ts';
import { states } from '../../../src/wire/fields.ts';

const main = { pid: 12, born: '1', startedWallMs: undefined };
const evidences: Readonly<Record<string, PidEvidence>> = {
  lives: { ...noPids, main },
  'named, but gone': { ...noPids, isNamedOneGone: true },
  'left a pid file': { ...noPids, declaredFile: 'stale' },
  'left no pid file': { ...noPids, declaredFile: 'missing' },
  'is not known': noPids,
};

describe('the state of a service whose status may lie', () => {
  const table: ReadonlyArray<[StatusEvidence['codeSays'], StatusEvidence['words'], string, string]> = [
    ['running', 'running', 'is not known', 'running'],
    ['running', undefined, 'is not known', 'running'],
    ['running', undefined, 'left a pid file', 'failed'],
    ['running', undefined, 'left no pid file', 'running'],
    ['running', 'running', 'left a pid file', 'running'],
    ['running', 'not-running', 'is not known', 'stopped'],
    ['running', 'not-running', 'left a pid file', 'stopped'],
    ['running', 'not-running', 'lives', 'running'],
    ['running', 'running', 'named, but gone', 'failed'],
    ['stopped', 'not-running', 'is not known', 'stopped'],
    ['stopped', undefined, 'lives', 'stopped'],
    ['stopped', 'not-running', 'lives', 'stopped'],
    ['stopped', 'running', 'lives', 'running'],
    ['failed', 'running', 'lives', 'running'],
    ['failed', 'running', 'is not known', 'unknown'],
    ['failed', undefined, 'is not known', 'failed'],
    ['failed', 'no-status', 'is not known', 'unknown'],
    ['running', 'no-status', 'is not known', 'unknown'],
    ['stopped', 'no-status', 'lives', 'running'],
    ['stopped', 'no-status', 'left a pid file', 'failed'],
    ['stopped', 'no-status', 'left no pid file', 'stopped'],
    ['unknown', 'not-running', 'is not known', 'stopped'],
    ['unknown', 'running', 'left no pid file', 'unknown'],
    ['unknown', undefined, 'lives', 'running'],
    ['unknown', undefined, 'is not known', 'unknown'],
    ['not-found', 'running', 'lives', 'not-found'],
  ];
  for (const [codeSays, words, process, state] of table) {
    it(`is ${state} when its code says ${codeSays}, its words ${words ?? 'nothing'}, and its process ${process}`, () => {
      expect(judge({ codeSays, words, pids: evidences[process] ?? noPids })).to.equal(state);
    });
  }

  it('is what the code says when nothing speaks against it', () => {
    for (const codeSays of states)
      expect(judge({ codeSays, words: undefined, pids: noPids })).to.equal(codeSays);
  });

  it('is running only when the code or a living process says so', () => {
    const anyEvidence = fc.record({
      codeSays: fc.constantFrom(...states),
      words: fc.constantFrom('running' as const, 'not-running' as const, 'no-status' as const, undefined),
      pids: fc.constantFrom(...Object.values(evidences)),
    });
    fc.assert(
      fc.property(anyEvidence, (evidence) => {
        if (judge(evidence) !== 'running') return;
        expect(evidence.codeSays === 'running' || evidence.pids.main !== undefined).to.equal(true);
      }),
    );
  });
});
