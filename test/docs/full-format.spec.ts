import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { FullDocument } from '../../src/wire/full.ts';

const file = new URL('../../docs/full-format.schema.json', import.meta.url);

/** The schema as it is in the code: JSON drops what is no JSON Schema. */
const schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'service-mgr-client --format full',
  ...FullDocument,
};
const text = `${JSON.stringify(schema, null, 2)}\n`;

describe('docs/full-format.schema.json', () => {
  it('is what the client prints with --format full (REWRITE=1 writes it anew)', () => {
    if (process.env['REWRITE'] === '1') writeFileSync(file, text);
    expect(readFileSync(file, 'utf8')).to.equal(text);
  });

  it('explains every field', () => {
    const unexplained = [...fieldsOf(JSON.parse(text), '')].filter(([, field]) => !isExplained(field));
    expect(unexplained.map(([name]) => name)).to.deep.equal([]);
  });
});

interface Field {
  readonly description?: string;
  readonly const?: unknown;
  readonly not?: unknown;
  readonly properties?: Readonly<Record<string, Field>>;
  readonly items?: Field;
  readonly anyOf?: readonly Field[];
}

function* fieldsOf({ properties = {}, items, anyOf = [] }: Field, above: string): Generator<[string, Field]> {
  for (const [name, field] of Object.entries(properties)) {
    yield [`${above}${name}`, field];
    yield* fieldsOf(field, `${above}${name}.`);
  }
  if (items !== undefined) yield* fieldsOf(items, `${above}`);
  for (const form of anyOf) yield* fieldsOf(form, above);
}

/** By itself, or by what is in it. */
function isExplained({ description, properties, not }: Field): boolean {
  return description !== undefined || properties !== undefined || not !== undefined;
}
