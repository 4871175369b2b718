import { readdirSync, readFileSync } from 'node:fs';
import { KindGuard, type TSchema } from '@sinclair/typebox';
import { expect } from 'chai';
import { agentKeys } from '../../src/config/agent.ts';
import { managerKeys } from '../../src/config/manager.ts';
import type { Message } from '../../src/wire/codec.ts';
import { errorCodes } from '../../src/wire/errors.ts';
import { messages } from '../../src/wire/messages.ts';

/** What the table of a message has to say about one field. */
interface Field {
  /** Dotted where it lies in another one, `nodes[].node` where that is a list. */
  readonly name: string;
  readonly type: string;
  readonly need: 'required' | 'optional';
  /** What the programs themselves say that they expect. */
  readonly expected: string | undefined;
  /** Limits of the schema: each has to stand in the row. */
  readonly limits: readonly number[];
}

const limitNames = ['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems'];

/** The forms that a message may have; most have one. */
function formsOf(schema: TSchema): readonly TSchema[] {
  return KindGuard.IsUnion(schema) ? schema.anyOf : [schema];
}

function fieldsOf(schema: TSchema, prefix = ''): Field[] {
  if (KindGuard.IsArray(schema)) return fieldsOf(schema.items, `${prefix.slice(0, -1)}[].`);
  if (!KindGuard.IsObject(schema)) return [];
  return Object.entries(schema.properties)
    .filter(([, field]) => !KindGuard.IsNever(field))
    .flatMap(([key, field]) => [
      {
        name: prefix + key,
        type: typeOf(field),
        need: schema.required?.includes(key) ? ('required' as const) : ('optional' as const),
        expected: field.description,
        limits: limitsOf(field),
      },
      ...fieldsOf(field, `${prefix}${key}.`),
    ]);
}

function typeOf(schema: TSchema): string {
  if (KindGuard.IsUnion(schema)) return [...new Set(schema.anyOf.map(typeOf))].join(' or ');
  if (KindGuard.IsLiteral(schema)) return typeof schema.const;
  if (KindGuard.IsArray(schema)) return `list of ${typeOf(schema.items)}`;
  if (KindGuard.IsObject(schema) || KindGuard.IsRecord(schema)) return 'object';
  return String(schema['type'] ?? 'anything');
}

function limitsOf(schema: TSchema): number[] {
  const own = limitNames.map((name): unknown => schema[name]);
  const found = own.filter((limit) => typeof limit === 'number').filter((limit) => limit > 1);
  return KindGuard.IsArray(schema) ? [...found, ...limitsOf(schema.items)] : found;
}

function sizeOf(bytes: number): string {
  const [unit, name] = bytes % 1_048_576 === 0 ? [1_048_576, 'MiB'] : [1_024, 'KiB'];
  return `Largest size: ${bytes / unit} ${name}.`;
}

type Table = ReadonlyArray<readonly string[]>;

/** The tables of a part of the page: rows of cells, without their heads. */
function tablesOf(text: string): Table[] {
  return [...text.matchAll(/(?:^\|.*\|\n)+/gm)].map(([table]) =>
    table
      .trim()
      .split('\n')
      .slice(2)
      .map((line) =>
        line
          .split(/(?<!\\)\|/)
          .slice(1, -1)
          .map((cell) => cell.trim()),
      ),
  );
}

/** The parts below headings of this level, by heading. */
function partsOf(page: string, level: '##' | '###'): ReadonlyMap<string, string> {
  const parts = page.split(new RegExp(`^${level} `, 'm')).slice(1);
  return new Map(
    parts.map((part) => {
      const end = part.indexOf('\n');
      return [part.slice(0, end).trim(), part.slice(end + 1)];
    }),
  );
}

const plain = (cell = '') => cell.replaceAll('`', '');

function wrongRow({ name, type, need, expected, limits }: Field, row: readonly string[] | undefined) {
  const wanted = `| \`${name}\` | ${type} | ${need} | ${expected ?? '...'} |`;
  if (row === undefined) return `is missing: ${wanted}`;
  const [, ownType, ownNeed, ownExpected, meaning] = row;
  if (ownType !== type || ownNeed !== need) return `is wrong, it should begin: ${wanted}`;
  if (expected !== undefined && plain(ownExpected) !== expected) return `should be: ${wanted}`;
  if (!meaning) return 'has no meaning';
  const told = `${ownExpected} ${meaning}`.replace(/(\d),(?=\d{3})/g, '$1');
  const untold = limits.find((limit) => !new RegExp(`\\b${limit}\\b`).test(told));
  return untold === undefined ? undefined : `does not say ${untold}`;
}

function* wrongRows(fields: readonly Field[], table: Table): Generator<string> {
  const rows = new Map(table.map((row) => [plain(row[0]), row]));
  for (const field of fields) {
    const { name } = field;
    const wrong = wrongRow(field, rows.get(name));
    if (wrong !== undefined) yield `${name} ${wrong}`;
    rows.delete(name);
  }
  for (const name of rows.keys()) yield `${name} is not in the schema`;
}

/** One line for each difference between the page and the schemas. */
function* wrongMessage(message: Message<TSchema>, part: string | undefined): Generator<string> {
  if (part === undefined) return yield `${message.name} is missing`;
  if (!part.includes(sizeOf(message.maxBytes)))
    yield `${message.name} does not say "${sizeOf(message.maxBytes)}"`;
  const [forms, tables] = [formsOf(message.schema), tablesOf(part)];
  if (forms.length !== tables.length)
    yield `${message.name} has ${forms.length} forms and ${tables.length} tables`;
  for (const [at, form] of forms.entries()) {
    for (const wrong of wrongRows(fieldsOf(form), tables[at] ?? [])) yield `${message.name}: ${wrong}`;
  }
}

function* wrongCodes(part: string | undefined): Generator<string> {
  const [table = []] = tablesOf(part ?? '');
  const rows = new Map(table.map(([code, meaning]) => [plain(code), meaning]));
  for (const [code, meaning] of Object.entries(errorCodes)) {
    if (!rows.has(code)) yield `${code} is missing: | \`${code}\` | ${meaning} |`;
    else if (plain(rows.get(code)) !== meaning) yield `${code} should be: | \`${code}\` | ${meaning} |`;
    rows.delete(code);
  }
  for (const code of rows.keys()) yield `${code} is not an error code`;
}

function* wrongPage(page: string, known: readonly Message<TSchema>[] = messages): Generator<string> {
  const parts = partsOf(page, '##');
  const told = partsOf(parts.get('Messages') ?? '', '###');
  for (const message of known) yield* wrongMessage(message, told.get(message.name));
  for (const name of told.keys())
    if (!known.some((message) => message.name === name)) yield `${name} is no message`;
  yield* wrongCodes(parts.get('Error codes'));
}

const page = readFileSync(new URL('../../docs/PROTOCOL.md', import.meta.url), 'utf8');

describe('docs/PROTOCOL.md', () => {
  it('tells of every message, field and error code as the schemas do, and of no other', () => {
    expect([...wrongPage(page)]).to.deep.equal([]);
  });

  it('shows examples that are good messages', () => {
    const examples = [...page.matchAll(/^```json (\w+)\n([\s\S]*?)^```$/gm)];
    expect(examples).to.have.length.above(messages.length / 2);
    for (const [, name, text = ''] of examples) {
      const message: Message<TSchema> | undefined = messages.find((known) => known.name === name);
      expect(() => message?.decode(Buffer.from(text)), `${name} ${text}`).to.not.throw();
      expect(message, `an example of ${name}`).to.not.equal(undefined);
    }
  });

  it('names every endpoint of the configuration files', () => {
    const keys = [...Object.values(managerKeys), ...Object.values(agentKeys)].map(({ key }) => key);
    for (const key of keys.filter((name) => name.endsWith('_endpoint')))
      expect(page).to.include(`\`${key}\``);
  });

  const planted: ReadonlyArray<[what: string, change: (text: string) => string, complaint: string]> = [
    [
      'a field that is missing',
      (text) => text.replace(/^\| `topic` .*\n/m, ''),
      'FrontendRequest: topic is missing: | `topic` | string | required | a target of 1 to 65536 printable characters |',
    ],
    [
      'a field that does not exist',
      (text) =>
        text.replace(/^(\| `topic` .*\n)/m, '$1| `nonsense` | string | required | a text | Nothing. |\n'),
      'FrontendRequest: nonsense is not in the schema',
    ],
    [
      'a field that is said to be required and is not',
      (text) => text.replace('| `signature` | string | optional', '| `signature` | string | required'),
      'FrontendRequest: signature is wrong, it should begin: | `signature` | string | optional | a text of at most 1024 characters |',
    ],
    [
      'a field of another type',
      (text) => text.replace('| `port` | integer |', '| `port` | string |'),
      'Accepted: port is wrong, it should begin: | `port` | integer | required | a port from 1 to 65535 |',
    ],
    [
      'a field with other limits',
      (text) => text.replace('a port from 1 to 65535', 'a port from 1 to 1024'),
      'Accepted: port should be: | `port` | integer | required | a port from 1 to 65535 |',
    ],
    [
      'a limit that only the schema knows',
      (text) => text.replace('At most 255 characters.', ''),
      'Query: service does not say 255',
    ],
    [
      'a field without a meaning',
      (text) => text.replace(/^(\| `topic` .*\|).*\|$/m, '$1 |'),
      'FrontendRequest: topic has no meaning',
    ],
    [
      'a message that is missing',
      (text) => text.replace(/^### IdOnly$[\s\S]*?(?=^### )/m, ''),
      'IdOnly is missing',
    ],
    [
      'a message that does not exist',
      (text) => text.replace('### IdOnly', '### Nonsense\n\n### IdOnly'),
      'Nonsense is no message',
    ],
    [
      'a message of another size',
      (text) => text.replace('Largest size: 256 KiB.', 'Largest size: 257 KiB.'),
      'ManagementRequest does not say "Largest size: 256 KiB."',
    ],
    [
      'an error code that is missing',
      (text) => text.replace(/^\| `NOT_JSON` .*\n/m, ''),
      'NOT_JSON is missing: | `NOT_JSON` | a frame is not UTF-8 JSON |',
    ],
    [
      'an error code that does not exist',
      (text) => text.replace(/^(\| `NOT_JSON` .*\n)/m, '$1| `NONSENSE` | nothing | Nowhere. |\n'),
      'NONSENSE is not an error code',
    ],
    [
      'an error code with another meaning',
      (text) => text.replace('| a frame is not UTF-8 JSON |', '| something |'),
      'NOT_JSON should be: | `NOT_JSON` | a frame is not UTF-8 JSON |',
    ],
  ];
  for (const [what, change, complaint] of planted) {
    it(`would not pass with ${what}`, () => {
      expect(change(page)).to.not.equal(page);
      expect([...wrongPage(change(page))]).to.deep.equal([complaint]);
    });
  }
});

describe('the list of messages', () => {
  const folder = new URL('../../src/wire/', import.meta.url);
  const sources = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), 'utf8'));
  const declared = sources
    .flatMap((source) => [...source.matchAll(/= message\(\s*'(\w+)'/g)])
    .map(([, name]) => name);

  it('holds every message that is declared in src/wire, once', () => {
    expect(declared).to.not.be.empty;
    expect(messages.map(({ name }) => name)).to.have.members(declared);
  });

  it('holds no schema with a keyword that is not checked', () => {
    const walk = (schema: TSchema): TSchema[] => [
      schema,
      ...(KindGuard.IsUnion(schema) ? schema.anyOf.flatMap(walk) : []),
      ...(KindGuard.IsArray(schema) ? walk(schema.items) : []),
      ...(KindGuard.IsObject(schema) ? Object.values(schema.properties).flatMap(walk) : []),
    ];
    for (const { name, schema } of messages) {
      for (const part of walk(schema)) expect(part, name).to.not.have.property('enum');
    }
  });
});
