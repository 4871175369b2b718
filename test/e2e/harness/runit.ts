import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../fakes/eventually.ts';
import { type Namespace, startNamespace } from './namespace.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface RunitService {
  /** The script `run`, without its first line. */
  readonly run: string;
  /** The script `check`, without its first line. */
  readonly check?: string;
}

/** A runsvdir(8) with services of its own. */
export interface Runit extends Namespace {
  readonly serviceFolder: string;
}

/**
 * Starts runsvdir(8) on these services, all of them down, and resolves when each has its supervisor: within 2 s, because
 * runsvdir looks only once a second at its folder. `cleanUp()` ends all of it.
 */
export async function startRunit(services: Readonly<Record<string, RunitService>>): Promise<Runit> {
  const serviceFolder = temporaryFolder();
  for (const [name, service] of Object.entries(services)) install(join(serviceFolder, name), service);
  const script = `ready\nexec runsvdir -P '${serviceFolder}'\n`;
  const namespace = await startNamespace('runit', script, ['runsvdir', 'runsv', 'sv']);
  const pipes = Object.keys(services).map((name) => join(serviceFolder, name, 'supervise/ok'));
  await eventually(() => pipes.every((pipe) => existsSync(pipe)), 'every service has its supervisor', 15_000);
  return { ...namespace, serviceFolder };
}

function install(folder: string, { run, check }: RunitService): void {
  mkdirSync(folder);
  writeFileSync(join(folder, 'down'), '');
  for (const [name, script] of Object.entries({ run, check })) {
    if (script !== undefined) writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
}
