import { readdirSync, readFileSync } from 'node:fs';
import { type CommandNode, commandTrees } from '../../src/cli/command-tree.ts';
import { daemonExitMeanings, daemonExits, exitCodes } from '../../src/cli/exit-codes.ts';
import { run } from '../../src/cli/main.ts';
import { agentKeys } from '../../src/config/agent.ts';
import { clientKeys } from '../../src/config/client.ts';
import { managerKeys } from '../../src/config/manager.ts';
import { actions } from '../../src/wire/fields.ts';
import { allOptions, commandSections, globalOptions, ownOptions, verbList } from './commands.ts';
import { keySections, openSectionParts } from './keys.ts';
import { list, sentences, word } from './mdoc.ts';
import { openSections } from './sections.ts';

export const manFolder = new URL('../../man/', import.meta.url);
const templateFolder = new URL('templates/', manFolder);

/** Where a template has a part that comes from the code: `.\" @options service-mgrd`. */
const partLine = /^\.\\" @(\S+)(?: (\S+))?\n/gm;

type Part = (argument: string) => string;

/** Every man page: prose from man/templates, and what the code knows better from the code. By file name. */
export async function manPages(): Promise<ReadonlyMap<string, string>> {
  const parts = partsOf(await commandTrees(run));
  const sections = openSectionParts(await openSections());
  parts.set('open-sections', () => sections);
  const names = readdirSync(templateFolder);
  return new Map(names.map((name) => [name, page(name, parts)]));
}

function page(name: string, parts: ReadonlyMap<string, Part>): string {
  const template = readFileSync(new URL(name, templateFolder), 'utf8');
  return template.replace(partLine, (line, part: string, argument = '') => {
    const text = parts.get(part)?.(argument);
    if (text === undefined) throw new Error(`man/templates/${name}: unknown part: ${line}`);
    return text === '' ? '' : `${text}\n`;
  });
}

function partsOf(trees: readonly CommandNode[]): Map<string, Part> {
  const treeOf = (name: string) => {
    const tree = trees.find((each) => each.name === name);
    if (tree === undefined) throw new Error(`${name} is no program`);
    return tree;
  };
  return new Map<string, Part>([
    ['options', (name) => allOptions(treeOf(name))],
    ['own-options', (name) => ownOptions(treeOf(name))],
    ['global-options', (name) => globalOptions(treeOf(name))],
    ['verbs', (name) => verbList(treeOf(name))],
    ['commands', (name) => commandSections(treeOf(name))],
    ['exit-codes', exitCodeList],
    [
      'actions',
      () =>
        list(
          '-item -compact -offset indent',
          actions.map((action) => `.It\n.Cm ${word(action)}`),
        ),
    ],
    ['keys', (file) => keySections(keysOf(file))],
  ]);
}

function keysOf(file: string) {
  const keys = new Map([
    ['service-mgrd.conf', Object.values(managerKeys)],
    ['service-mgr-agentd.conf', Object.values(agentKeys)],
    ['service-mgr-client.conf', Object.values(clientKeys)],
  ]).get(file);
  if (keys === undefined) throw new Error(`${file} is no configuration file`);
  return keys;
}

function exitCodeList(program: string): string {
  const daemonCodes = Object.entries(daemonExitMeanings).map(([name, meaning]) => ({
    code: daemonExits[name as keyof typeof daemonExits],
    meaning,
  }));
  const codes = program === 'service-mgr-client' ? exitCodes : daemonCodes;
  return list(
    '-tag -width 130',
    codes.map(({ code, meaning }) => `.It ${code}\n${sentences(meaning)}`),
  );
}
