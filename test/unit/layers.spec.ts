import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { expect } from 'chai';

const floors = [
  ['wire'],
  ['core', 'platform', 'security'],
  ['config', 'provider', 'store'],
  ['agent', 'manager', 'client'],
  ['control', 'console', 'cli'],
  ['bin'],
];

/** What a room may import from outside the house, if anything; the inner rooms of platform stand for themselves. */
const outside: Record<string, RegExp> = {
  wire: /^@sinclair\/typebox(\/compiler)?$/,
  'platform/node': /^(node:.+|pino|uuid|@lydell\/node-pty)$/,
  'platform/zmq': /^zeromq$/,
  security: /^node:crypto$/,
  config: /^ini$/,
  // SQLite opens its file itself; who makes it and sets a damaged one aside stands beside it.
  store: /^(node:sqlite|node:fs|node:path|@photostructure\/sqlite)$/,
  cli: /^(commander|@commander-js\/extra-typings|picocolors|cli-table3)$/,
  bin: /^(node:.+|uuid)$/,
};

const realPlatform = /^platform\/(node|zmq)\//;
const mayChooseThePlatform = /^(bin|platform)\/|^client\/index\.ts$/;
const emptyName = /^(utils?|helpers?|commons?|misc|shared|bases?|types?)$/;

const textOrComment = /\/\*[\s\S]*?\*\/|\/\/.*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;
const staticImport = /^\s*(?:import|export)\s*(?:[^'"`;=()]*?\bfrom\s*)?['"](?<name>[^'"]+)['"]/gm;
const dynamicImport =
  /(?:(?<![.\w])(?:import|require)|\bgetBuiltinModule)\s*\(\s*(?:(['"`])(?<name>[^'"`$]+)\1\s*[,)])?/g;

/** Read by pattern, because TypeScript 7 has no parser to call and others forget type imports. */
function importsOf(source: string): string[] {
  const code = source.replace(textOrComment, (piece) => (piece.startsWith('/') ? ' ' : piece));
  const found = [...code.matchAll(staticImport), ...code.matchAll(dynamicImport)];
  return found.map(({ groups }) => groups?.['name'] ?? 'a computed name');
}

const roomOf = (file: string): string => file.split('/')[0] ?? '';
const floorOf = (file: string): number => floors.findIndex((rooms) => rooms.includes(roomOf(file)));

function wrongImport(file: string, name: string): string | undefined {
  const room = roomOf(file);
  if (!name.startsWith('.')) {
    const door = /^platform\/(node|zmq)(?=\/)/.exec(file)?.[0] ?? room;
    return outside[door]?.test(name) ? undefined : `imports ${name}, which ${door} may not`;
  }
  const target = posix.join(posix.dirname(file), name);
  if (floorOf(target) < 0) return `imports ${target}, which is in no room`;
  if (floorOf(target) > floorOf(file)) return `imports ${target} from a higher floor`;
  const isNextDoor = floorOf(target) === floorOf(file) && roomOf(target) !== room;
  if (isNextDoor) return `imports ${target} from next door`;
  if (realPlatform.test(target) && !mayChooseThePlatform.test(file)) return `chooses a platform: ${target}`;
  return undefined;
}

function* wrongPlaces(file: string): Generator<string> {
  if (floorOf(file) < 0) yield 'is in no room';
  const parts = file.replace(/\.\w+$/, '').split('/');
  for (const part of parts.filter((name) => emptyName.test(name))) yield `the name ${part} says nothing`;
  if (parts.at(-1) === 'index' && file !== 'client/index.ts') yield 'is a barrel';
}

/** Takes path in src -> source text; gives one line per offence. */
function offences(files: Record<string, string>): string[] {
  return Object.entries(files).flatMap(([file, source]) =>
    [...wrongPlaces(file), ...importsOf(source).map((name) => wrongImport(file, name))]
      .filter((offence) => offence !== undefined)
      .map((offence) => `${file}: ${offence}`),
  );
}

const planted: [sentence: string, file: string, source: string, offence: string][] = [
  ['an import from a higher floor', 'core/a.ts', "import { b } from '../bin/b.ts';", 'higher floor'],
  ['an import from next door', 'core/a.ts', "import {\n  b,\n} from '../platform/b.ts';", 'next door'],
  ['a type import from above', 'wire/a.ts', "import type { B } from '../core/b.ts';", 'higher floor'],
  ['a type named in place', 'wire/a.ts', "let b: import('../core/b.ts').B;", 'higher floor'],
  ['a re-export from above', 'agent/a.ts', "export * from '../cli/b.ts';", 'higher floor'],
  ['an import for its effect only', 'wire/a.ts', "import '../core/b.ts';", 'higher floor'],
  ['a dynamic import from above', 'core/a.ts', "await import('../bin/b.ts');", 'higher floor'],
  ['a name computed at run time', 'cli/a.ts', 'await import(name);', 'a computed name'],
  ["another room's outside package", 'agent/a.ts', "import pino from 'pino';", 'imports pino'],
  ['zeromq in the wrong platform', 'platform/node/a.ts', "import { Pull } from 'zeromq';", 'zeromq'],
  ['a node builtin in core', 'core/a.ts', "import { readFile } from 'node:fs';", 'node:fs'],
  ['a builtin without an import', 'store/a.ts', "process.getBuiltinModule('fs');", 'imports fs'],
  ['a platform chosen outside bin', 'agent/a.ts', "import '../platform/node/b.ts';", 'chooses'],
  ['a platform chosen behind the door', 'client/a.ts', "import '../platform/zmq/b.ts';", 'chooses'],
  ['a file in no room', 'lib/a.ts', '', 'in no room'],
  ['a folder named util', 'core/util/a.ts', '', 'util says nothing'],
  ['a file named helpers', 'agent/helpers.ts', '', 'helpers says nothing'],
  ['a barrel outside the client', 'core/index.ts', '', 'barrel'],
];

describe('the rooms of src', () => {
  it('import only from lower floors, and from outside only what is theirs', () => {
    const root = new URL('../../src/', import.meta.url);
    const names = readdirSync(root, { recursive: true, encoding: 'utf8' });
    const sources = names.filter((name) => /\.\w*[jt]sx?$/.test(name));
    const files = sources.map((name) => [name, readFileSync(new URL(name, root), 'utf8')]);
    expect(files).to.not.be.empty;
    expect(offences(Object.fromEntries(files))).to.deep.equal([]);
  });

  for (const [sentence, file, source, offence] of planted) {
    it(`may not hold ${sentence}`, () => {
      const found = offences({ [file]: source });
      expect(found).to.have.length(1);
      expect(found[0]).to.include(offence);
    });
  }

  it('may import downwards, choose a platform at a door, and speak of imports', () => {
    const files = {
      'bin/a.ts': "import { v7 } from 'uuid';\nimport '../platform/zmq/a.ts';\nimport '../cli/b.ts';",
      'client/index.ts': "export { a } from '../platform/node/a.ts';\nexport * from './b.ts';",
      'core/a.ts': "// import 'ini';\n/*\nimport 'ini';\n*/\nconst a = 'tcp://*:1';\nkeys.import(a);",
    };
    expect(offences(files)).to.deep.equal([]);
  });
});
