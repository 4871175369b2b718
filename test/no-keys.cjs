// The keys of whoever runs the tests are not for tests, nor for the programs that they start.
process.env.XDG_CONFIG_HOME = '/nonexistent';
