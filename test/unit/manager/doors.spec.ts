import { expect } from 'chai';
import {
  changingQueries,
  type Door,
  doors,
  isDoor,
  managementCommands,
  mayEnter,
  maySend,
  type Visitor,
} from '../../../src/manager/doors.ts';
import { managementHandlers } from '../../../src/manager/management.ts';
import { isServiceManagerError } from '../../../src/wire/errors.ts';
import type { NodeName } from '../../../src/wire/fields.ts';
import { Query, queryNames } from '../../../src/wire/query.ts';
import { ackFrames, openSinkMessage, sinkTypes } from '../../../src/wire/sink.ts';
import { TestGate } from '../../fakes/gatehouses.ts';
import { ManagerDesks } from '../../fakes/manager-desks.ts';
import { idOf } from '../../fakes/stored-requests.ts';

const visitors: readonly Visitor[] = ['agent', 'operator', 'monitor', 'owner', 'stranger'];
const allDoors = Object.keys(doors).filter(isDoor);

/** The names of all messages that any socket of any program knows, and some that none does. */
const allTypes = [
  ...new Set([...allDoors.flatMap((door) => Object.keys(doors[door])), ...sinkTypes, ...queryNames]),
  ...['pulse', 'stored', 'who', 'conflict', '', 'RESULT', 'result ', 'constructor', '__proto__'],
];

function isKnownToSink(type: string): boolean {
  const [, ...rest] = ackFrames(idOf(1), 'web1' as NodeName, 1, 'queued');
  try {
    openSinkMessage([Buffer.from(type), ...rest]);
    return true;
  } catch (error) {
    if (!isServiceManagerError(error)) throw error;
    return error.code !== 'UNKNOWN_TYPE';
  }
}

async function handlers() {
  const desks = await ManagerDesks.open();
  const { gate, auditor } = new TestGate();
  const endpoints = { frontendEndpoint: '', backendEndpoint: '', sinkEndpoint: '' };
  return managementHandlers({
    config: { ...endpoints, mgmtEndpoint: '', publisherEndpoint: '' },
    host: { hostname: 'manager1', system: '', release: '', version: '', machine: '', osRelease: {} },
    ...{ gate, auditor, presence: desks.presence, stop: () => {} },
    ...{ pid: 1, publisherPort: () => 0, uptimeMs: () => 0 },
    counters: () => {
      throw new Error('nobody asked for the status');
    },
  });
}

function typesOf(door: Door): string[] {
  return Object.keys(doors[door]).sort();
}

describe('the table of doors', () => {
  it('has an entry for each message that the frontend answers, and no other', () => {
    const known = allTypes.filter((query) => Query.tryDecode(Buffer.from(JSON.stringify({ v: 2, query }))));
    expect(known).to.have.members(queryNames);
    const queries = known.map((name) => `query ${name}`);
    expect(typesOf('frontend')).to.deep.equal(['request', ...queries].sort());
  });

  it('has an entry for each message that the sink opens, and no other', () => {
    const known = allTypes.filter(isKnownToSink);
    expect(known).to.have.members(sinkTypes);
    expect(typesOf('sink')).to.deep.equal(known.sort());
  });

  it('has an entry for each command that a manager with security answers, and no other', async () => {
    const commands = Object.keys(await handlers()).sort();
    expect(typesOf('management')).to.deep.equal(commands);
    expect([...managementCommands].sort()).to.deep.equal(commands);
  });

  it('has one message for each of the other sockets', () => {
    expect(typesOf('backend')).to.deep.equal(['subscription']);
    expect(typesOf('publisher')).to.deep.equal(['subscription']);
    expect(typesOf('join')).to.deep.equal(['join']);
  });

  it('knows no other socket', () => {
    expect(allDoors.sort()).to.deep.equal(
      ['backend', 'frontend', 'join', 'management', 'publisher', 'sink'].sort(),
    );
    for (const text of ['', 'Frontend', 'constructor', '__proto__', 'toString'])
      expect(isDoor(text), text).to.equal(false);
  });
});

describe('a door is entered', () => {
  const entering: Readonly<Record<Visitor, readonly Door[]>> = {
    agent: ['backend', 'sink'],
    operator: ['frontend', 'publisher'],
    monitor: ['frontend', 'publisher'],
    owner: ['management'],
    stranger: ['join'],
  };

  for (const visitor of visitors) {
    it(`by ${visitor} at ${entering[visitor].join(' and ')} only`, () => {
      expect(allDoors.filter((door) => mayEnter(door, visitor))).to.have.members(entering[visitor]);
    });
  }
});

describe('a message', () => {
  it('is taken from those in the table only', () => {
    for (const door of allDoors)
      for (const [type, senders] of Object.entries<readonly Visitor[]>(doors[door]))
        for (const visitor of visitors)
          expect(maySend(door, type as never, visitor), `${type} of ${visitor} at ${door}`).to.equal(
            senders.includes(visitor),
          );
  });

  it('that has no entry is taken from nobody', () => {
    for (const visitor of visitors) {
      expect(maySend('sink', 'request' as never, visitor)).to.equal(false);
      expect(maySend('frontend', 'query everything' as never, visitor)).to.equal(false);
      expect(maySend('management', 'manager.reboot' as never, visitor)).to.equal(false);
    }
  });

  it('that changes something is not taken from who may only look', () => {
    for (const query of changingQueries) {
      expect(maySend('frontend', `query ${query}`, 'monitor')).to.equal(false);
      expect(maySend('frontend', `query ${query}`, 'operator')).to.equal(true);
    }
    expect([...changingQueries].sort()).to.deep.equal(['cancel', 'forget']);
  });
});
