const { readFileSync } = require('node:fs');
const { sep } = require('node:path');

/** What runs real programs on a real machine may meet a moment in which that machine does something else. */
const isReal = (file = '') =>
  ['contract', 'e2e', 'fault'].some((folder) => file.includes(`${sep}test${sep}${folder}${sep}`));

/** A random history that fails is a find, which another seed would hide. */
const isRandom = (file) => /from 'fast-check'/.test(readFileSync(file, 'utf8'));

exports.mochaHooks = {
  /** Such a test has failed when it fails twice in a row. The reporter says which ones needed the second try. */
  beforeEach() {
    const { file } = this.currentTest;
    if (isReal(file) && !isRandom(file)) this.currentTest.retries(1);
  },
};
