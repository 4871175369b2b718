const { reporters, Runner } = require('mocha');

const { EVENT_TEST_PENDING, EVENT_TEST_RETRY, EVENT_RUN_END } = Runner.constants;

/** A test, its hook or a suite around it says why with `Object.assign(this.runnable(), { skipReason: '...' })`. */
function skipReason(runnable) {
  if (runnable === undefined || runnable === null) return 'no reason given';
  return runnable.skipReason ?? skipReason(runnable.parent);
}

/**
 * What mocha prints by default, then every test that went well only at the second try with what happened at the first,
 * every skipped test with its reason, and as the last line the counts.
 */
class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const skipped = [];
    const again = [];
    runner.on(EVENT_TEST_PENDING, (test) => skipped.push(test));
    runner.on(EVENT_TEST_RETRY, (test, error) => again.push([test, error]));
    runner.once(EVENT_RUN_END, () => {
      const print = reporters.Base.consoleLog;
      for (const [test, error] of again) print('tried again: %s (%s)', test.fullTitle(), error.message);
      for (const test of skipped) print('skipped: %s (%s)', test.fullTitle(), skipReason(test));
      const { passes, failures, pending } = this.stats;
      print('%d passed, %d failed, %d skipped', passes, failures, pending);
    });
  }
}

module.exports = CountingReporter;
