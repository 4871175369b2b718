import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { manFolder, manPages } from '../../scripts/man/pages.ts';
import { type CommandNode, commandTrees } from '../../src/cli/command-tree.ts';
import { daemonExits, exitCodes } from '../../src/cli/exit-codes.ts';
import { run } from '../../src/cli/main.ts';
import { formats } from '../../src/cli/print.ts';
import { agentKeys } from '../../src/config/agent.ts';
import { clientKeys } from '../../src/config/client.ts';
import type { Key } from '../../src/config/key.ts';
import { managerKeys } from '../../src/config/manager.ts';
import { actions } from '../../src/wire/fields.ts';
import { outcomes } from '../../src/wire/outcome.ts';

const pageNames = readdirSync(manFolder).filter((name) => /\.[158]$/.test(name));
const textOf = (name: string) => readFileSync(new URL(name, manFolder), 'utf8').replaceAll('\\-', '-');

/** From a heading of this level up to the next one of it, or of a higher level. */
function part(page: string, macro: 'Sh' | 'Ss', title: string): string {
  const [, found] = page.split(`\n.${macro} ${title}\n`);
  if (found === undefined) throw new Error(`no part "${title}"`);
  return found.split(macro === 'Sh' ? /^\.Sh /m : /^\.S[hs] /m)[0] ?? '';
}

const titles = (page: string) => Array.from(page.matchAll(/^\.Ss (.+)$/gm), ([, title]) => title ?? '');

/** `-f --config`, for each option that a part of a page explains. */
function optionsIn(text: string): string[] {
  const items = text.matchAll(/^\.It (Fl .+)$/gm);
  return Array.from(items, ([, line = '']) =>
    [...line.matchAll(/Fl (-?[\w-]+)/g)].map(([, flag]) => `-${flag}`).join(' '),
  );
}

/** The same from what a user sees with `--help`. */
function optionsShown({ command }: CommandNode): string[] {
  const lines = command.helpInformation().matchAll(/^ {2}(?:(-\w), )?(--[\w-]+)/gm);
  return Array.from(lines, ([, short, long]) => [short, long].filter((flag) => flag !== undefined).join(' '));
}

function everyVerb({ verbs }: CommandNode): CommandNode[] {
  return verbs.flatMap((verb) => [verb, ...everyVerb(verb)]);
}

/** One line for each difference between the page of the client and what its commands show. */
function* wrongCommands(page: string, client: CommandNode): Generator<string> {
  const [own = '', all = ''] = part(page, 'Sh', 'DESCRIPTION').split('The options of all commands are:');
  const common = optionsIn(all);
  yield* differences(client.name, [...optionsIn(own), ...common], optionsShown(client));
  yield* wrongSections(page, everyVerb(client), common);
}

/** The same for a daemon, whose verbs without anything of their own stand in a list alone. */
function* wrongDaemonCommands(page: string, daemon: CommandNode): Generator<string> {
  const description = part(page, 'Sh', 'DESCRIPTION');
  const [verbs = ''] = description.split('The options stand before');
  yield* differences(daemon.name, optionsIn(description), optionsShown(daemon));
  const names = daemon.verbs.map(({ command }) => command.name());
  yield* differences('DESCRIPTION', wordsIn(verbs), names);
  const listed = new Set(['start', 'stop', 'status'].map((verb) => `${daemon.name} ${verb}`));
  const others = everyVerb(daemon).filter(({ name }) => !listed.has(name));
  yield* wrongSections(page, others, ['-f --config', '-e --endpoint', '-h --help']);
}

function* wrongSections(page: string, nodes: CommandNode[], common: readonly string[]): Generator<string> {
  const commands = part(page, 'Sh', 'COMMANDS');
  const verbs = new Map(nodes.map((verb) => [verb.name.split(' ').slice(1).join(' '), verb]));
  yield* differences('COMMANDS', titles(commands), [...verbs.keys()]);
  for (const title of titles(commands)) {
    const verb = verbs.get(title);
    const explained = [...optionsIn(part(`\n${commands}`, 'Ss', title)), ...common];
    if (verb !== undefined) yield* differences(title, explained, optionsShown(verb));
  }
}

function* differences(where: string, told: readonly string[], real: readonly string[]): Generator<string> {
  for (const word of real.filter((each) => !told.includes(each))) yield `${where}: ${word} is missing`;
  for (const word of told.filter((each) => !real.includes(each))) yield `${where}: ${word} does not exist`;
}

function exitCodesIn(page: string): number[] {
  return Array.from(part(page, 'Sh', 'EXIT STATUS').matchAll(/^\.It (\d+)$/gm), ([, code]) => Number(code));
}

const wordsIn = (text: string) =>
  Array.from(text.matchAll(/^\.(?:It )?Cm (\S+)$/gm), ([, word]) => word ?? '');

describe('the man pages', () => {
  it('are those of the three programs and of each configuration file', () => {
    const names = readdirSync(new URL('../conf/', manFolder)).filter((name) => name.endsWith('.conf'));
    const examples = names.map((name) => `${name}.5`);
    expect(pageNames).to.have.members([
      ...['service-mgrd.8', 'service-mgr-agentd.8', 'service-mgr-client.1'],
      ...examples,
    ]);
  });

  it('are installed by npm', () => {
    const { man } = JSON.parse(readFileSync(new URL('../package.json', manFolder), 'utf8'));
    expect(man).to.have.members(pageNames.map((name) => `./man/${name}`));
  });

  it('are what "npm run man" writes (REWRITE=1 writes them anew)', async () => {
    for (const [name, text] of await manPages()) {
      const file = new URL(name, manFolder);
      if (process.env['REWRITE'] === '1') writeFileSync(file, text);
      expect(readFileSync(file, 'utf8'), name).to.equal(text);
    }
  });

  for (const name of pageNames) {
    it(`have nothing in ${name} that mandoc warns of`, () => {
      const file = fileURLToPath(new URL(name, manFolder));
      expect(execFileSync('mandoc', ['-T', 'lint', '-W', 'warning', file], { encoding: 'utf8' })).to.equal(
        '',
      );
    });

    it(`refer in ${name} only to pages that exist`, () => {
      const ours = Array.from(textOf(name).matchAll(/^\.Xr (service-mgr\S+) (\d)/gm), ([, page, number]) =>
        [page, number].join('.'),
      );
      expect(pageNames).to.include.members(ours);
    });
  }
});

describe('the man page of the client', () => {
  const page = textOf('service-mgr-client.1');
  let client: CommandNode;

  before(async () => {
    const [, , found] = await commandTrees(run);
    if (found === undefined) throw new Error('the client has no commands');
    client = found;
  });

  it('explains the options of each command that its help shows, and no other', () => {
    expect([...wrongCommands(page, client)]).to.deep.equal([]);
  });

  const planted: ReadonlyArray<readonly [what: string, change: (text: string) => string, complaint: string]> =
    [
      [
        'an option that is missing',
        (text) => text.replace('.It Fl -watch\n', ''),
        'nodes: --watch is missing',
      ],
      [
        'an option that does not exist',
        (text) => text.replace('.It Fl -watch\n', '.It Fl -watch\nFollow.\n.It Fl n , Fl -nonsense\n'),
        'nodes: -n --nonsense does not exist',
      ],
      [
        'an option of all commands that is missing',
        (text) => text.replace(/^\.It Fl D , Fl -debug\n/m, ''),
        'service-mgr-client: -D --debug is missing',
      ],
      [
        'a command that does not exist',
        (text) => text.replace('.Ss nodes forget\n', '.Ss nodes remember\n'),
        'COMMANDS: nodes remember does not exist',
      ],
    ];
  for (const [what, change, complaint] of planted) {
    it(`would not pass with ${what}`, () => {
      expect(change(page)).to.not.equal(page);
      expect([...wrongCommands(change(page), client)]).to.include(complaint);
    });
  }

  it('lists each exit code, action, format and outcome', () => {
    expect(exitCodesIn(page)).to.deep.equal(exitCodes.map(({ code }) => code));
    expect(wordsIn(part(page, 'Ss', 'Actions'))).to.deep.equal([...actions]);
    expect(wordsIn(part(page, 'Ss', 'Formats'))).to.have.members([...formats]);
    expect(wordsIn(part(page, 'Ss', 'Outcomes'))).to.deep.equal([...outcomes]);
  });
});

for (const [at, name] of ['service-mgrd', 'service-mgr-agentd'].entries()) {
  describe(`the man page of ${name}`, () => {
    const page = textOf(`${name}.8`);

    let daemon: CommandNode;

    before(async () => {
      const found = (await commandTrees(run))[at];
      if (found === undefined) throw new Error(`${name} has no commands`);
      daemon = found;
    });

    it('explains the options and commands that its help shows, and no other', () => {
      expect([...wrongDaemonCommands(page, daemon)]).to.deep.equal([]);
    });

    it('would not pass without an option or a command, or with one that does not exist', () => {
      const changes: ReadonlyArray<readonly [from: RegExp, to: string, complaint: string]> = [
        [/^\.It Fl -since .*\n/m, '', 'audit show: --since is missing'],
        [/^\.It Fl D , Fl -debug\n/m, '', `${name}: -D --debug is missing`],
        [/^\.It Cm policy\n/m, '.It Cm politics\n', 'DESCRIPTION: politics does not exist'],
        [/^\.Ss keys rotate\n/m, '.Ss keys forget\n', 'COMMANDS: keys forget does not exist'],
      ];
      for (const [from, to, complaint] of changes)
        expect([...wrongDaemonCommands(page.replace(from, to), daemon)]).to.include(complaint);
    });

    it('lists each exit code', () => {
      expect(exitCodesIn(page)).to.deep.equal(Object.values(daemonExits));
    });
  });
}

const files: Readonly<Record<string, readonly Key<unknown>[]>> = {
  'service-mgrd.conf': Object.values(managerKeys),
  'service-mgr-agentd.conf': Object.values(agentKeys),
  'service-mgr-client.conf': Object.values(clientKeys),
};

for (const [name, keys] of Object.entries(files)) {
  describe(`the man page of ${name}`, () => {
    const page = textOf(`${name}.5`);

    it('explains each key in its section, and no other', () => {
      for (const section of new Set(keys.map((key) => key.section))) {
        const told = part(page, 'Ss', `[${section}]`).matchAll(/^\.It Cm (\S+) = /gm);
        const real = keys.filter((key) => key.section === section).map(({ key }) => key);
        expect(Array.from(told, ([, key]) => key)).to.deep.equal(real);
      }
    });

    it('explains each section that the example has', () => {
      const example = readFileSync(new URL(`../conf/${name}`, manFolder), 'utf8');
      const sections = example.matchAll(/^(?:# )?\[(\w+)(:\w+)?\]$/gm);
      const wanted = Array.from(sections, ([, section, title]) => `[${section}${title ? ':NAME' : ''}]`);
      expect(titles(page)).to.include.members(wanted);
    });

    it('shows each default', () => {
      for (const { key, fallback } of keys.filter((each) => each.fallback)) {
        const [, told = ''] = page.split(`.It Cm ${key} = Ar value\n`);
        expect(told.split('.It ')[0], key).to.include(`The default is ${fallback}.`);
      }
    });
  });
}
