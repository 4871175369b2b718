import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { type RunningManager, startAgent, startManager } from '../harness/fleet.ts';
import { cleanUp } from '../harness/processes.ts';
import { scripted, type TestService } from '../harness/services.ts';
import { ask, type Called, expectCalledRight } from './called.ts';
import { type Animal, zoo } from './table.ts';

/** How many of them are looked after at a time. */
const keepers = 14;

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
      for (const each of visited?.called ?? []) expectCalledRight(each);
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
  for (const call of calls) called.push(await ask(manager, service.name, call));
  return { service, called, runs: (await service.runs()).filter(isNoStatus) };
}

/** The agent itself asks for the status as often as it likes. */
function isNoStatus(action: string): boolean {
  return action !== 'status';
}

function textOf(file: string): string {
  return readFileSync(new URL(file, import.meta.url), 'utf8');
}
