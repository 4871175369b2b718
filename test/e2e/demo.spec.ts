import { chmodSync, chownSync, cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { built } from './harness/daemon.ts';
import { cleanUp, runProgram, startProgram } from './harness/processes.ts';
import { temporaryFolder } from './harness/temporary-folder.ts';

const top = fileURLToPath(new URL('../../', import.meta.url));
const nobody = 65_534;
const isRoot = process.getuid?.() === 0;

interface Project {
  readonly script: string;
  /** The only place where the demo may leave something behind. */
  readonly tmp: string;
}

/** What the demo needs, in a folder that every user can read: the checkout itself may be root's alone. */
function project({ isBuilt = true } = {}): Project {
  const folder = temporaryFolder();
  const tmp = join(folder, 'tmp');
  chmodSync(folder, 0o755);
  mkdirSync(tmp);
  if (isRoot) chownSync(tmp, nobody, nobody);
  for (const file of ['package.json', 'scripts/demo.js']) cpSync(join(top, file), join(folder, file));
  if (isBuilt) cpSync(dirname(built('service-mgrd')), join(folder, 'dist'), { recursive: true });
  return { script: join(folder, 'scripts/demo.js'), tmp };
}

/** The JSON arrays that were printed, each from a line `[` to a line `]`. */
function arraysIn(output: string): Record<string, unknown>[][] {
  return Array.from(output.matchAll(/^\[\n[\s\S]*?^\]$/gm), ([text]) => JSON.parse(text));
}

/** Programs whose command line names that folder. */
function processesOf(folder: string): string[] {
  const commandLines = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(commandLineOf);
  return commandLines.filter((line) => line.includes(folder));
}

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

function expectNothingLeft({ tmp }: Project): void {
  expect(readdirSync(tmp)).to.deep.equal([]);
  expect(processesOf(tmp)).to.deep.equal([]);
}

describe('the demo', function () {
  this.timeout(60_000);
  afterEach(cleanUp);

  const users = isRoot ? ['root', 'an unprivileged user'] : ['this user'];
  for (const user of users) {
    it(`shows the three programs at work to ${user}, and leaves nothing behind`, async () => {
      const demo = project();
      const other = [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', process.execPath];
      const [program, args] = user === 'an unprivileged user' ? ['setpriv', other] : [process.execPath, []];
      const ended = await runProgram(program, [...args, demo.script], {
        env: { TMPDIR: demo.tmp },
        deadlineMs: 40_000,
      });
      expect(ended, ended.stderr).to.include({ code: 0, stderr: '' });
      const answers = arraysIn(ended.stdout);
      expect(answers, ended.stdout).to.have.lengthOf(2);
      for (const [answer, ...more] of answers) {
        expect(answer).to.have.property('uuid');
        expect(more).to.deep.equal([]);
      }
      expect(answers[0]).to.have.nested.property('[0].result.state', 'not-found');
      expect(ended.stdout).to.match(/^\$ service-mgr-client .* -T any -c status -s dummy$/m);
      expect(ended.stdout.match(/^\(exit code \d+: .+\)$/gm)).to.have.lengthOf(2);
      expectNothingLeft(demo);
    });
  }

  it('takes everything away at Ctrl-C', async () => {
    const demo = project();
    const program = startProgram(process.execPath, [demo.script], { env: { TMPDIR: demo.tmp } });
    await program.waitForLine(/-s dummy$/);
    expect(processesOf(demo.tmp)).to.not.deep.equal([]);
    expect(await program.stop('SIGINT', 20_000)).to.deep.equal({ code: 130, signal: null });
    expect(program.stderr).to.equal('demo: stopped by SIGINT\n');
    expectNothingLeft(demo);
  });

  it('says what to do when nothing was built', async () => {
    const demo = project({ isBuilt: false });
    const ended = await runProgram(process.execPath, [demo.script], { env: { TMPDIR: demo.tmp } });
    expect(ended).to.include({ code: 1, stdout: '' });
    expect(ended.stderr).to.include('npm ci');
    expectNothingLeft(demo);
  });
});
