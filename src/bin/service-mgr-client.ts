import process from 'node:process';
import { main } from '../cli/main.ts';
import { nodeFiles } from '../platform/node/files.ts';
import { NodeTerminal } from '../platform/node/terminal.ts';

const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort());

const exitCode = main(process.argv.slice(2), {
  terminal: new NodeTerminal(process),
  files: nodeFiles,
  interrupted: interrupt.signal,
});

// An unexpected error rejects, is shown by Node.js and ends the program with exit code 1.
exitCode.then((code) => process.exit(code));
