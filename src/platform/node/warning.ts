import process from 'node:process';

/** Tells whoever runs a program of somebody else, as Node.js tells its own warnings. */
export function warn(text: string): void {
  process.emitWarning(text, 'ServiceManagerWarning');
}
