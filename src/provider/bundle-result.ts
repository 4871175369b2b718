import type { ActionName, State } from '../wire/fields.ts';
import type { MemberResult, Verification } from '../wire/result.ts';
import { isOk, notKnownCode } from './bundle-member.ts';
import type { BundleTurns } from './bundle-turns.ts';
import type { ProviderResult } from './provider.ts';

const provider = 'bundle';

/** The bundle is as its worst member is. */
const worstFirst: readonly State[] = ['not-found', 'failed', 'unknown', 'stopped', 'running'];

export function worstOf(states: readonly State[]): State {
  return worstFirst.find((state) => states.includes(state)) ?? 'unknown';
}

/** The members' results as that of one service. */
export function bundleResult(
  action: ActionName,
  members: readonly MemberResult[],
  whole: BundleTurns['whole'],
): ProviderResult {
  const state = worstOf([...latest(members).values()].map((member) => member.state));
  const exitCode = (action === 'status' ? codeOfState(members, state) : 0) || codeOfFirst(members);
  const verification = exitCode === 0 ? unverified(members) : undefined;
  return {
    ...{ ...whole, provider, state, exitCode, members },
    ...(verification === undefined ? {} : { verification }),
  };
}

export function unknownBundle(title: string, known: readonly string[]): ProviderResult {
  const names = known.length === 0 ? 'none' : known.join(', ');
  const text = `no service bundle of the name ${JSON.stringify(title)} is configured here (known: ${names})\n`;
  return {
    ...{ provider, state: 'not-found', exitCode: notKnownCode },
    ...{ timedOut: false, aborted: false, durationMs: 0 },
    stdout: { text: '', cutBytes: 0 },
    stderr: { text, cutBytes: 0 },
  };
}

/** A member that was rolled back is what the roll-back made it. */
function latest(members: readonly MemberResult[]): ReadonlyMap<string, MemberResult> {
  return new Map(members.map((member) => [member.service, member]));
}

function codeOfState(members: readonly MemberResult[], state: State): number {
  return members.find((member) => member.state === state && member.returncode !== 0)?.returncode ?? 0;
}

/** Of the first that failed; never 0 unless each did what it should, as far as its exit code goes. */
function codeOfFirst(members: readonly MemberResult[]): number {
  const failed = members.find(({ outcome }) => outcome === 'failed');
  if (failed !== undefined) return failed.returncode || 1;
  // Of what is not verified the exit code stays as it is: the verification says it, and why others had no turn.
  return members.every(isOk) || members.some(({ outcome }) => outcome === 'unverified') ? 0 : 1;
}

function unverified(members: readonly MemberResult[]): Verification | undefined {
  for (const { outcome, service, verification } of members) {
    if (outcome !== 'unverified' || verification === undefined) continue;
    return { ...verification, reason: `member ${service}: ${verification.reason ?? 'not verified'}` };
  }
  return undefined;
}
