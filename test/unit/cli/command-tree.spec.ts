import { expect } from 'chai';
import {
  type CommandNode,
  commandTrees,
  declaredOptionsOf,
  optionsOf,
} from '../../../src/cli/command-tree.ts';
import { bashScript } from '../../../src/cli/completion/bash.ts';
import { completables } from '../../../src/cli/completion/completable.ts';
import { zshScript } from '../../../src/cli/completion/zsh.ts';
import { run } from '../../../src/cli/main.ts';

const trees = new Map<string, CommandNode>();

before(async () => {
  for (const tree of (await commandTrees(run)).flatMap(everyCommand)) trees.set(tree.name, tree);
});

function everyCommand(node: CommandNode): CommandNode[] {
  return [node, ...node.verbs.flatMap(everyCommand)];
}

function nodeNamed(name: string): CommandNode {
  const node = trees.get(name);
  if (node === undefined) throw new Error(`no command ${name}`);
  return node;
}

const verbsOf = (name: string) => nodeNamed(name).verbs.map((verb) => verb.name.slice(name.length + 1));
const longOf = (options: ReturnType<typeof optionsOf>) => options.map(({ long }) => long);

describe('the tree of commands', () => {
  const expected: Readonly<Record<string, readonly string[]>> = {
    'service-mgrd': ['start', 'stop', 'status', 'keys', 'token', 'policy', 'audit'],
    'service-mgrd keys': ['init', 'show', 'list', 'accept', 'reject', 'revoke', 'remove', 'rotate'],
    'service-mgrd token': ['create', 'list', 'remove'],
    'service-mgrd policy': ['test', 'check'],
    'service-mgrd audit': ['show', 'verify', 'head'],
    'service-mgr-agentd': ['start', 'stop', 'status', 'join', 'keys', 'policy', 'audit'],
    'service-mgr-agentd keys': ['init', 'show', 'rotate'],
    'service-mgr-agentd policy': ['check'],
    'service-mgr-agentd audit': ['show', 'verify', 'head'],
    'service-mgr-client': ['nodes', 'requests', 'join', 'keys', 'completion'],
    'service-mgr-client keys': ['init', 'show', 'rotate'],
  };
  for (const [name, verbs] of Object.entries(expected)) {
    it(`has below ${name}: ${verbs.join(', ')}`, () => {
      expect(verbsOf(name)).to.deep.equal(verbs);
    });
  }

  it('knows the options of a command, and those of its program that may stand behind it', () => {
    const list = nodeNamed('service-mgrd keys list');
    expect(longOf(declaredOptionsOf(list))).to.deep.equal(['--state', '--format', '--help']);
    expect(longOf(optionsOf(list))).to.deep.equal([
      '--state',
      '--format',
      '--help',
      '--config',
      '--endpoint',
    ]);
  });

  it('knows which options of a daemon are for its start', () => {
    expect(longOf(optionsOf(nodeNamed('service-mgrd start')))).to.deep.equal([
      ...['--help', '--config', '--daemon', '--log-file', '--pid-file', '--debug'],
    ]);
    expect(longOf(optionsOf(nodeNamed('service-mgrd stop')))).to.deep.equal([
      '--help',
      '--config',
      '--endpoint',
    ]);
  });

  it('has a sentence for each command', () => {
    for (const { name, command } of trees.values()) {
      expect(command.description(), name).to.match(/^[A-Z].*\.$/s);
    }
  });
});

describe('the completion of commands below commands', () => {
  it('is in the scripts of both shells', () => {
    const commands = [...trees.values()].filter(({ name }) => !name.includes(' ')).flatMap(completables);
    expect(bashScript(commands)).to.include("'service-mgrd keys list') words='--state --format --help");
    const zsh = zshScript(commands);
    expect(zsh).to.include('_service_mgrd_keys_list() {').and.include('list) _service_mgrd_keys_list ;;');
    expect(zsh).to.include('--role=[who joins with it]:role:(agent operator monitor)');
  });
});
