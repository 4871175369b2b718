import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type CommandNode, commandTrees, optionsOf } from '../../src/cli/command-tree.ts';
import { run } from '../../src/cli/main.ts';
import { actions } from '../../src/wire/fields.ts';
import { built } from './harness/daemon.ts';
import { cleanUp, runProgram } from './harness/processes.ts';
import { temporaryFolder } from './harness/temporary-folder.ts';

const captureFile = fileURLToPath(new URL('harness/capture.zsh', import.meta.url));

type Shell = 'bash' | 'zsh';

/** What a shell offers at the end of a command line; the words are as that shell cuts them. */
type Offers = (words: readonly string[], folder?: string) => Promise<string[]>;

const printed = new Map<Shell, string>();

/** A file with what the built client prints. */
async function scriptFor(shell: Shell): Promise<string> {
  const text = printed.get(shell) ?? (await printedScript(shell));
  printed.set(shell, text);
  const file = join(temporaryFolder(), 'script');
  writeFileSync(file, text);
  return file;
}

async function printedScript(shell: Shell): Promise<string> {
  const ended = await runProgram(process.execPath, [built('service-mgr-client'), 'completion', shell]);
  expect(ended).to.include({ code: 0, stderr: '' });
  return ended.stdout;
}

async function bash(code: string, args: readonly string[], cwd?: string): Promise<string> {
  const options = cwd === undefined ? {} : { cwd };
  const ended = await runProgram('bash', ['--norc', '-c', code, 'bash', ...args], options);
  expect(ended).to.include({ code: 0, stderr: '' });
  return ended.stdout;
}

const bashOffers: Offers = async (words, folder) => {
  const code = `script=$1; shift; source "$script"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_service_mgr; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const output = await bash(code, [await scriptFor('bash'), ...words], folder);
  return output.split('\n').filter((line) => line !== '');
};

const zshOffers: Offers = async (words, folder) => {
  const env = { SCRIPT: await scriptFor('zsh'), LINE: words.join(' ') };
  const options = folder === undefined ? { env } : { env, cwd: folder };
  const ended = await runProgram('zsh', ['-f', captureFile], options);
  expect(ended.code, ended.stdout + ended.stderr).to.equal(0);
  return Array.from(ended.stdout.matchAll(/offers:([^\r\n]*)/g), ([, word]) => word ?? '');
};

/** The words in which bash has cut `--format=t` and `role:web`. */
const inBash = (...words: string[]) => words.flatMap((word) => word.split(/(?<=[=:])|(?=[=:])/));

function everyCommand(node: CommandNode): CommandNode[] {
  return [node, ...node.verbs.flatMap(everyCommand)];
}

for (const [shell, offers] of [
  ['bash', bashOffers],
  ['zsh', zshOffers],
] as const) {
  describe(`completion in ${shell}`, function () {
    this.timeout(60_000);
    afterEach(cleanUp);
    const cut = (...words: string[]) => (shell === 'bash' ? inBash(...words) : words);

    it('offers the commands of a program', async () => {
      expect(await offers(['service-mgr-client', 'no'])).to.deep.equal(['nodes']);
      expect(await offers(['service-mgrd', 'st'])).to.have.members(['start', 'stop', 'status']);
      expect(await offers(['service-mgr-agentd', 'sta'])).to.have.members(['start', 'status']);
    });

    it('offers the commands below a command, and none of another one', async () => {
      const words = ['service-mgr-client', '-w', '5', 'requests', 's'];
      expect(await offers(words)).to.deep.equal(['show']);
    });

    it('offers actions, formats and outcomes where they stand', async () => {
      const restarts = actions.filter((action) => action.startsWith('re'));
      expect(await offers(['service-mgr-client', '-c', 're'])).to.have.members(restarts);
      expect(await offers(['service-mgr-client', '--format', 'g'])).to.deep.equal(['groups']);
      expect(await offers(['service-mgr-client', 'nodes', '--format', ''])).to.have.members([
        ...['table', 'json', 'ndjson'],
      ]);
      const words = ['service-mgr-client', 'requests', 'list', '--outcome', 'un'];
      expect(await offers(words)).to.have.members(['unverified', 'unreachable']);
    });

    it('offers the rest behind an equals sign', async () => {
      expect(await offers(cut('service-mgr-client', '--format=t'))).to.deep.equal(['table']);
    });

    it('takes the value of an option for no command', async () => {
      expect(await offers(['service-mgr-client', '-s', 'nodes', 'fo'])).to.deep.equal([]);
      expect(await offers(cut('service-mgr-client', '-T', 'role:nodes', 'fo'))).to.deep.equal([]);
    });

    it('offers files where a file stands', async () => {
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'my own.conf'), '');
      const [file] = await offers(['service-mgrd', '-f', 'my'], folder);
      expect(file?.replaceAll('\\', '')).to.equal('my own.conf');
    });

    it('offers the commands below a command of a daemon, also behind options', async () => {
      expect(await offers(['service-mgrd', 'keys', 'r'])).to.have.members([
        ...['reject', 'revoke', 'remove', 'rotate'],
      ]);
      expect(await offers(['service-mgrd', '-f', 'x.conf', 'audit', 'v'])).to.deep.equal(['verify']);
      expect(await offers(['service-mgr-agentd', 'keys', 'r'])).to.deep.equal(['rotate']);
    });

    it('offers roles, states and formats to the commands of a daemon', async () => {
      const roles = ['service-mgrd', 'token', 'create', '--role', ''];
      expect(await offers(roles)).to.have.members(['agent', 'operator', 'monitor']);
      const states = ['service-mgrd', 'keys', 'list', '--state', 're'];
      expect(await offers(states)).to.have.members(['retiring', 'rejected', 'revoked']);
    });

    for (const program of ['service-mgrd', 'service-mgr-agentd', 'service-mgr-client']) {
      it(`offers every option of every command of ${program}`, async () => {
        const tree = (await commandTrees(run)).find(({ name }) => name === program);
        if (tree === undefined) throw new Error(`${program} has no commands`);
        for (const node of everyCommand(tree)) {
          const long = optionsOf(node).flatMap((option) => option.long ?? []);
          expect(await offers([...node.name.split(' '), '--']), node.name).to.have.members(long);
        }
      });
    }
  });
}

describe('the completion script', () => {
  afterEach(cleanUp);

  it('is registered in bash for all three programs', async () => {
    const shown = await bash('source "$1"; complete -p', [await scriptFor('bash')]);
    expect(shown.trim().split('\n')).to.have.members(
      ['service-mgrd', 'service-mgr-agentd', 'service-mgr-client'].map(
        (name) => `complete -F _service_mgr ${name}`,
      ),
    );
  });

  it('is refused for a shell that is not known', async () => {
    const line = [built('service-mgr-client'), 'completion', 'fish'];
    const ended = await runProgram(process.execPath, line);
    expect(ended).to.include({ code: 64, stdout: '' });
    expect(ended.stderr).to.include('bash, zsh');
  });
});
