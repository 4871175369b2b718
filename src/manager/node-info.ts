import type { Member } from '../core/roster.ts';
import type { NodeInfo } from '../wire/query.ts';
import type { Absence } from '../wire/reply.ts';

/** `clockOffsetMs`: by how much its clock is ahead of ours, as far as that is known. */
export function nodeInfoOf(
  { node, facts, presence, conflict, ...member }: Member,
  now: number,
  clockOffsetMs: number | undefined,
): NodeInfo {
  return {
    node,
    presence,
    conflictingAgents: conflict.length,
    system: facts.system,
    release: facts.release,
    version: facts.version,
    machine: facts.machine,
    ...(facts.os === undefined ? {} : { os: facts.os }),
    ...(facts.osVersion === undefined ? {} : { osVersion: facts.osVersion }),
    roles: facts.roles,
    topics: facts.topics,
    agentVersion: facts.agentVersion,
    agentStartedMs: facts.startedAtMs,
    sinceMs: member.sinceWallMs,
    lastSeenMs: member.lastSeenWallMs,
    lastSeenAgoMs: Math.max(0, Math.round(now - member.lastSeenMs)),
    ...(clockOffsetMs === undefined ? {} : { clockOffsetMs: Math.round(clockOffsetMs) }),
  };
}

export function absenceOf({ node, presence, lastSeenMs }: Member, now: number): Absence {
  const lastSeenAgoMs = Math.max(0, Math.round(now - lastSeenMs));
  return { node, lastSeenAgoMs, ...(presence === 'left' ? { hasLeft: true } : {}) };
}
