const { sep } = require('node:path');

/** What runs real programs on a real machine may meet a moment in which that machine does something else. */
const isReal = (file = '') =>
  ['contract', 'e2e', 'fault'].some((folder) => file.includes(`${sep}test${sep}${folder}${sep}`));

exports.mochaHooks = {
  /** Such a test has failed when it fails twice in a row. The reporter says which ones needed the second try. */
  beforeEach() {
    if (isReal(this.currentTest.file)) this.currentTest.retries(1);
  },
};
