import { oneOf } from './fields.ts';

/** What can become of a request at one node. When the request is over, every aimed-at node stands in exactly one. */
export const outcomes = [
  'ok',
  'failed',
  /** The action said it went well, but the service is not what it should be. */
  'unverified',
  'refused',
  /** The request came after the time until which it is good. */
  'expired',
  /** The agent stopped while the action was running. */
  'interrupted',
  'cancelled',
  /** The window is over and the node still at work. */
  'running',
  'no-answer',
  /** Known, but not alive when asked. */
  'unreachable',
] as const;
export type Outcome = (typeof outcomes)[number];
export const Outcome = oneOf(outcomes);

/** How far a node is with a request. `waiting`: its batch has not begun. `asked`: nothing was heard yet. */
export const phases = ['waiting', 'asked', 'queued', 'running', 'done'] as const;
export type Phase = (typeof phases)[number];
export const Phase = oneOf(phases);
