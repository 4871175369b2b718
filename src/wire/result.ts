import { type Static, Type } from '@sinclair/typebox';
import { message } from './codec.ts';
import { AnsweringNode, type NodeName, RequestId, State } from './fields.ts';
import { Outcome } from './outcome.ts';

/** Room for two streams of the largest `output_limit` with every byte escaped as \u00XX. */
export const maxResultBytes = 4 * 1024 * 1024;

// The last 2014 agents send a list of lines where the first ones sent a text.
const output = Type.Union([Type.String(), Type.Array(Type.String())], {
  description: 'a text or a list of lines',
});
const cutBytes = Type.Optional(Type.Integer({ minimum: 0, description: 'bytes that were cut' }));

const name = Type.String({ description: 'a service name' });
const exitCode = Type.Integer({ description: 'an exit code' });
const durationMs = Type.Number({ minimum: 0, description: 'milliseconds' });
const flag = Type.Boolean({ description: 'true or false' });
const text = Type.String({ description: 'a text' });
const pid = Type.Optional(Type.Integer({ minimum: 1, description: 'a process id' }));

/** What the agent saw when it looked whether an action had made the service what it should be. */
export const Verification = Type.Object({
  isVerified: flag,
  /** Why not. */
  reason: Type.Optional(text),
  before: Type.Optional(State),
  after: State,
  pidBefore: pid,
  pidAfter: pid,
  /** How often the state or the main process was seen to change since the action ended. */
  changes: Type.Integer({ minimum: 0, description: 'a count' }),
  /** How long it had to stay so. */
  settleMs: durationMs,
});
export type Verification = Static<typeof Verification>;

/** What a health check on the node said. */
export const Health = Type.Object({
  /** As it was asked for: `tcp:80`. */
  check: text,
  isHealthy: flag,
  attempts: Type.Integer({ minimum: 0, description: 'a count' }),
  /** What the last attempt met with. */
  detail: text,
});
export type Health = Static<typeof Health>;

/** What became of one member of a service bundle. */
export const MemberResult = Type.Object({
  service: name,
  /** What was done with it; a roll-back is an action of its own. */
  action: text,
  /** `cancelled`: it did not have its turn. */
  outcome: Outcome,
  returncode: exitCode,
  state: State,
  stdout: text,
  stderr: text,
  durationMs,
  timedOut: Type.Optional(flag),
  ranAs: Type.Optional(name),
  verification: Type.Optional(Verification),
  isRollback: Type.Optional(flag),
});
export type MemberResult = Static<typeof MemberResult>;

export const ListedService = Type.Object({ service: name, state: State });
export type ListedService = Static<typeof ListedService>;

/** What one node says of one action. The first seven fields are those of 2014; the others are new. */
export const ActionResult = Type.Object({
  node: AnsweringNode,
  /** Exit code of service(8) as the host gave it; minus the signal number when a signal ended it. */
  returncode: exitCode,
  service: name,
  stdout: output,
  stderr: output,
  /** `uname -s` */
  system: Type.String({ description: 'a system name' }),
  /** `uname -v` */
  version: Type.String({ description: 'a system version' }),
  state: Type.Optional(State),
  provider: Type.Optional(Type.String({ description: 'a text' })),
  durationMs: Type.Optional(durationMs),
  /** The action ran into its time limit and was ended. */
  timedOut: Type.Optional(flag),
  stdoutCutBytes: cutBytes,
  stderrCutBytes: cutBytes,
  /** The name that the host knows the service by, where that is another one. */
  ranAs: Type.Optional(name),
  verification: Type.Optional(Verification),
  health: Type.Optional(Health),
  members: Type.Optional(Type.Array(MemberResult, { description: 'the members of the service bundle' })),
  services: Type.Optional(Type.Array(ListedService, { description: 'the services of the host' })),
});
export type ActionResult = Static<typeof ActionResult>;

const trouble = Type.Object({
  success: Type.Literal(-1, { description: 'the number -1' }),
  msg: text,
  // 2014 agents do not name themselves when they refuse a message.
  node: Type.Optional(AnsweringNode),
  uuid: RequestId,
  code: Type.Optional(Type.String({ description: 'one of the error codes' })),
});

/** An answer of a node: the action's result, or (2014 form) the agent's own trouble with `success: -1`. */
export const Answer = message(
  'Answer',
  maxResultBytes,
  Type.Union([
    Type.Object({ msg: text, result: ActionResult, uuid: RequestId }),
    // With a result of any other shape it is neither.
    Type.Unsafe<Static<typeof trouble>>(
      Type.Object({ ...trouble.properties, result: Type.Optional(Type.Never()) }),
    ),
  ]),
);
export type Answer = Static<typeof Answer.schema>;
export type ServiceAnswer = Extract<Answer, { result: unknown }>;
export type TroubleAnswer = Exclude<Answer, ServiceAnswer>;

export function isServiceAnswer(answer: Answer): answer is ServiceAnswer {
  return 'result' in answer;
}

/** The answer with its output as text, whichever form it came in. */
export function withTextOutput(answer: ServiceAnswer): ServiceAnswer {
  const { stdout, stderr } = answer.result;
  return { ...answer, result: { ...answer.result, stdout: asText(stdout), stderr: asText(stderr) } };
}

function asText(lines: string | string[]): string {
  if (typeof lines === 'string') return lines;
  const keepsLineEnds = lines.some((line) => line.endsWith('\n'));
  return lines.join(keepsLineEnds ? '' : '\n');
}

/** Which node says so; undefined for the trouble of a 2014 agent that does not name itself. */
export function nodeOfAnswer(answer: Answer): NodeName | undefined {
  return isServiceAnswer(answer) ? answer.result.node : answer.node;
}
