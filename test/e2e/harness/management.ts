import { setTimeout as sleep } from 'node:timers/promises';
import { Request } from 'zeromq';

export type JsonObject = Readonly<Record<string, unknown>>;

const pollMs = 20;

/** Polls a manager, ours or our v1 peer, until at least `count` agents have subscribed; resolves with their number. */
export function waitForSubscribers(
  mgmtEndpoint: string,
  count: number,
  deadlineMs?: number,
): Promise<number> {
  return waitForAgentCount(mgmtEndpoint, `at least ${count}`, (agents) => agents >= count, deadlineMs);
}

/** As `waitForSubscribers`, for any other number of agents, such as none. */
export async function waitForAgentCount(
  mgmtEndpoint: string,
  expected: string,
  matches: (agents: number) => boolean,
  deadlineMs = 10_000,
): Promise<number> {
  const endsAt = performance.now() + deadlineMs;
  let seen = 'no answer';
  for (let left = deadlineMs; left > 0; left = endsAt - performance.now()) {
    try {
      const agents = agentsIn(await askManagement(mgmtEndpoint, 'manager.status', Math.min(1_000, left)));
      if (matches(agents)) return agents;
      seen = String(agents);
    } catch (error) {
      seen = error instanceof Error ? error.message : String(error);
    }
    // Nothing announces a subscription to the outside: the management socket has to be asked.
    await sleep(pollMs);
  }
  throw new Error(`${mgmtEndpoint}: waited ${deadlineMs} ms for ${expected} agents, last seen: ${seen}`);
}

/** Sends one command to a management socket of either kind of daemon, ours or a v1 peer's. */
export function askManagement(mgmtEndpoint: string, cmd: string, timeoutMs?: number): Promise<JsonObject> {
  return askJson(mgmtEndpoint, JSON.stringify({ cmd }), timeoutMs);
}

/** Sends one frame over REQ and reads the reply as a JSON object; throws when there is none in time. */
export async function askJson(to: string, frame: string | Buffer, timeoutMs = 2_000): Promise<JsonObject> {
  const socket = new Request({ linger: 0, sendTimeout: timeoutMs, receiveTimeout: timeoutMs });
  try {
    socket.connect(to);
    await socket.send(frame);
    const [reply] = await socket.receive();
    const value: unknown = JSON.parse(String(reply));
    if (!isObject(value)) throw new Error(`not a JSON object: ${reply}`);
    return value;
  } catch (error) {
    throw new Error(`${to}: no answer to ${frame} within ${timeoutMs} ms`, { cause: error });
  } finally {
    socket.close();
  }
}

function agentsIn(reply: JsonObject): number {
  const result = reply['result'];
  const counters = isObject(result) ? result['counters'] : undefined;
  const agents = isObject(counters) ? counters['agents'] : undefined;
  if (typeof agents !== 'number') throw new Error(`no counters.agents in ${JSON.stringify(reply)}`);
  return agents;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
