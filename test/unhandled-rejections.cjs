// Mocha lets a test pass while a promise that nobody awaits fails behind it.
process.on('unhandledRejection', (reason) => {
  throw reason;
});
