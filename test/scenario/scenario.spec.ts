import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { played } from './transcript.ts';
import { World } from './world.ts';

const folder = new URL('./', import.meta.url);
const isRewriting = process.env['REWRITE'] === '1';
const names = readdirSync(folder).filter((name) => name.endsWith('.txt'));

describe('the transcript', () => {
  it('is there, more than once', () => {
    expect(names).to.have.length.greaterThan(10);
  });

  for (const name of names) {
    it(`${name.replace('.txt', '').replaceAll('-', ' ')} is what happens`, () => {
      const file = new URL(name, folder);
      const world = new World();
      const recorded = readFileSync(file, 'utf8');
      const now = played(recorded, (command) => world.run(command));
      if (isRewriting) writeFileSync(file, now);
      else expect(now).to.equal(recorded);
    });
  }
});
