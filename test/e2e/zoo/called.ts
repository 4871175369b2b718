import { expect } from 'chai';
import { type RunningManager, runClient } from '../harness/fleet.ts';
import { isObject, type JsonObject } from '../harness/management.ts';
import type { Call } from './table.ts';

export interface Called {
  readonly call: Call;
  readonly document: JsonObject;
  readonly exitCode: number | null;
}

export function expectCalledRight({ call, document, exitCode }: Called): void {
  const what = `${call.action}: ${JSON.stringify(document, null, 1)}`;
  expect(seen(document), what).to.deep.include(wanted(call));
  expect(exitCode).to.equal(call.outcome === 'ok' ? 0 : 2);
  if (call.reason !== undefined) expect(messageOf(document), what).to.match(call.reason);
  else expect(messageOf(document), what).to.not.include(', but ');
}

/** Has it done by the real client, which prints all that it knows. */
export async function ask(manager: RunningManager, name: string, call: Call, topic = 'any'): Promise<Called> {
  const limit = call.limit === undefined ? [] : ['-a', String(call.limit)];
  const args = manager.request(topic, call.action, name, '-w', '60', '--format', 'full', ...limit);
  const { stdout, code } = await runClient(args, { deadlineMs: 90_000 });
  const document: unknown = JSON.parse(stdout);
  if (!isObject(document)) throw new Error(`no document: ${stdout}`);
  return { call, document, exitCode: code };
}

function seen(document: JsonObject): object {
  const result = resultOf(document);
  const { verification } = result;
  return {
    outcome: first(document['outcomes'])['outcome'],
    code: result['returncode'],
    state: result['state'],
    ...(isObject(verification)
      ? { isVerified: verification['isVerified'], after: verification['after'] }
      : {}),
  };
}

function wanted({ outcome, state, code = 0, action }: Call): object {
  const isLookedAt = outcome !== 'failed' && !['status', 'enable'].includes(action);
  return {
    ...{ outcome, code },
    ...(state === undefined ? {} : { state }),
    ...(state !== undefined && isLookedAt ? { after: state } : {}),
    ...(isLookedAt ? { isVerified: outcome === 'ok' } : {}),
  };
}

function resultOf(document: JsonObject): JsonObject {
  const { result } = first(document['results']);
  if (!isObject(result)) throw new Error(`no result in ${JSON.stringify(document)}`);
  return result;
}

function messageOf(document: JsonObject): string {
  return String(first(document['results'])['msg']);
}

function first(list: unknown): JsonObject {
  const [one]: unknown[] = Array.isArray(list) ? list : [];
  if (!isObject(one)) throw new Error(`no first one in ${JSON.stringify(list)}`);
  return one;
}
