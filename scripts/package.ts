// Makes a .deb and a .rpm of what the build has left in dist/, in packages/ or in the folder that is named.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { buildDeb } from './package/deb.ts';
import { readProject, top } from './package/files.ts';
import { buildRpm } from './package/rpm.ts';

/** The time that stands in the packages, in seconds: of the last commit, so that the same source makes the same files. */
function sourceDateEpoch(): number {
  const { SOURCE_DATE_EPOCH: given } = process.env;
  if (given !== undefined) return Number(given);
  try {
    const time = execFileSync('git', ['log', '-1', '--format=%ct'], {
      cwd: top,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return Number(time);
  } catch {
    // A copy without its history.
    return Math.floor(statSync(join(top, 'CHANGELOG.md')).mtimeMs / 1_000);
  }
}

const target = resolve(process.argv[2] ?? join(top, 'packages'));
const scratch = mkdtempSync(join(tmpdir(), 'service-mgr-package-'));
try {
  mkdirSync(target, { recursive: true });
  const [project, epoch] = [readProject(), sourceDateEpoch()];
  for (const build of [buildDeb, buildRpm]) {
    const file = build(project, epoch, scratch, target);
    process.stdout.write(
      `${relative(process.cwd(), file)}  ${Math.round(statSync(file).size / 1_024)} KiB\n`,
    );
  }
} finally {
  rmSync(scratch, { recursive: true });
}
