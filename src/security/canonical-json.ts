export type Json = string | number | boolean | null | readonly Json[] | { readonly [field: string]: Json };

/**
 * The one text of a value: fields sorted by their UTF-16 units, no blanks, numbers as JavaScript writes them, and ASCII only,
 * so that what a peer has chosen can neither play tricks on a terminal nor be changed without changing the text.
 */
export function canonicalJson(value: Json): string {
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) return `{${fieldsOf(value).join(',')}}`;
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, escaped);
}

function fieldsOf(value: { readonly [field: string]: Json }): string[] {
  const sorted = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return sorted.map(([field, inner]) => `${canonicalJson(field)}:${canonicalJson(inner)}`);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
