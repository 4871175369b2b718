import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { type RunningManager, runClient, startAgent, startManager } from '../harness/fleet.ts';
import { isObject, type JsonObject } from '../harness/management.ts';
import { cleanUp } from '../harness/processes.ts';
import { scripted, type TestService } from '../harness/services.ts';
import { type Animal, type Call, zoo } from './table.ts';

/** How many of them are looked after at a time. */
const keepers = 14;

interface Called {
  readonly call: Call;
  readonly document: JsonObject;
  readonly exitCode: number | null;
}

interface Visit {
  readonly service: TestService;
  readonly called: readonly Called[];
  readonly runs: readonly string[];
}

describe('the zoo: services that lie, and awkward ones, on sysvinit', function () {
  this.timeout(180_000);
  const visits = new Map<Animal, Promise<Visit>>();

  before(async () => {
    const manager = await startManager();
    await startAgent({ managers: [manager], nodeName: 'zoo', settings: { settle_time: 2 } });
    await manager.waitForSubscribers(1);
    const waiting = [...zoo];
    const keep = async () => {
      for (let animal = waiting.shift(); animal !== undefined; animal = waiting.shift()) {
        const visiting = visit(manager, animal);
        visits.set(animal, visiting);
        await visiting.catch(() => {});
      }
    };
    await Promise.all(Array.from({ length: keepers }, keep));
  });
  after(cleanUp);

  for (const animal of zoo) {
    const { script, suffix = '', calls } = animal;
    it(`${script}${suffix}: ${calls.map(({ action, outcome }) => `${action} ${outcome}`).join(', ')}`, async () => {
      const visited = await visits.get(animal);
      expect(visited?.called).to.have.lengthOf(calls.length);
      for (const { call, document, exitCode } of visited?.called ?? []) {
        const what = `${call.action}: ${JSON.stringify(document, null, 1)}`;
        expect(seen(document), what).to.deep.include(wanted(call));
        expect(exitCode).to.equal(call.outcome === 'ok' ? 0 : 2);
        if (call.reason !== undefined) expect(messageOf(document), what).to.match(call.reason);
        else expect(messageOf(document), what).to.not.include(', but ');
      }
      expect(visited?.runs).to.deep.equal(calls.map(({ action }) => action).filter(isNoStatus));
    });
  }

  it('has each of its scripts called right at least once', () => {
    const files = readdirSync(new URL('scripts/', import.meta.url));
    expect(files.length).to.be.at.least(24);
    expect(files).to.have.members([...new Set(zoo.map(({ script }) => `${script}.sh`))]);
  });
});

async function visit(manager: RunningManager, { script, suffix, calls }: Animal): Promise<Visit> {
  const body = textOf(`scripts/${script}.sh`);
  const service = scripted(`${textOf('prelude.sh')}${body}`, suffix);
  const called: Called[] = [];
  for (const call of calls) called.push(await ask(manager, service, call));
  return { service, called, runs: (await service.runs()).filter(isNoStatus) };
}

/** The agent itself asks for the status as often as it likes. */
function isNoStatus(action: string): boolean {
  return action !== 'status';
}

async function ask(manager: RunningManager, { name }: TestService, call: Call): Promise<Called> {
  const limit = call.limit === undefined ? [] : ['-a', String(call.limit)];
  const args = manager.request('any', call.action, name, '-w', '60', '--format', 'full', ...limit);
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
  const isLookedAt = outcome !== 'failed' && action !== 'status';
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

function textOf(file: string): string {
  return readFileSync(new URL(file, import.meta.url), 'utf8');
}
