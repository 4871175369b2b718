import { expect } from 'chai';
import { ServiceManagerError } from '../../src/wire/errors.ts';
import { messages } from '../../src/wire/messages.ts';
import { type Door, doors } from './doors.ts';
import { Fuzz, longestCallMs } from './fuzz.ts';

const inputsPerDoor = 3_000;
const seed = 20_261_105;

const names = doors.map(({ name }) => name);

async function through(tried: readonly Door[], rounds: number): Promise<Fuzz> {
  const fuzz = new Fuzz(tried, seed);
  for (let round = 0; round < rounds; round += 1) await fuzz.round();
  return fuzz;
}

describe('the doors that are tried with made-up inputs', () => {
  it('are all messages, and everything else that reads what others wrote', () => {
    expect(names).to.include.members(messages.map(({ name }) => name));
    expect(new Set(names)).to.have.length(names.length);
  });

  for (const door of doors) {
    it(`are opened by a good example: ${door.name}`, async () => {
      const [example] = door.examples;
      if (example === undefined) throw new Error('there is none');
      await door.open(example);
    });
  }
});

describe('made-up inputs', () => {
  for (const door of doors) {
    it(`are read or refused, and quickly: ${door.name}`, async function () {
      this.timeout(120_000);
      const { troubles, slowest, inputs } = await through([door], inputsPerDoor);
      expect(troubles).to.deep.equal([]);
      expect(slowest.ms).to.be.below(longestCallMs);
      expect(inputs).to.equal(inputsPerDoor);
    });
  }
});

describe('a door that is not safe', () => {
  const planted = (open: Door['open']): Door => ({
    name: 'planted',
    examples: [[Buffer.from('good')]],
    open,
  });

  it('is found out when it crashes', async () => {
    const door = planted(([frame]) => {
      if (frame?.includes('[')) throw new TypeError('crashed');
    });
    const { troubles } = await through([door], 500);
    expect(troubles[0]?.what).to.equal('TypeError: crashed');
    expect(Buffer.from(troubles[0]?.input.split(' ')[0] ?? '', 'base64').toString()).to.include('[');
  });

  it('is found out when it takes too long, with the input', async () => {
    const door = planted(([frame]) => {
      const endMs = performance.now() + 2 * longestCallMs;
      while (frame?.includes('*') && performance.now() < endMs);
    });
    const fuzz = new Fuzz([door], seed);
    while (fuzz.troubles.length === 0) await fuzz.round();
    expect(fuzz.troubles[0]?.what).to.match(/^took \d+ ms$/);
  });

  it('is found out two steps behind an answer that nobody had got before', async () => {
    const door = planted(([frame]) => {
      if (frame?.subarray(0, 4).toString() !== 'good') throw new ServiceManagerError('NOT_JSON', 'first');
      if (!frame.includes('null')) throw new ServiceManagerError('NOT_JSON', 'second');
      if (frame.includes('true')) throw new RangeError('deep');
    });
    const { troubles } = await through([door], 20_000);
    expect(troubles[0]?.what).to.equal('RangeError: deep');
  });

  it('is tried in the same way with the same seed', async () => {
    const seen: string[][] = [];
    for (let time = 0; time < 2; time += 1) {
      // One that took long is tried again at once.
      const inputs = new Set<string>();
      const door = planted((frames) => inputs.add(Buffer.concat([...frames]).toString('hex')));
      await through([door], 200);
      seen.push([...inputs]);
    }
    expect(seen[0]).to.have.length.above(100);
    expect(seen[0]).to.deep.equal(seen[1]);
  });
});
