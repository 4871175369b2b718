/** The items in the order people count in: web2 before web10. Equal names keep their order; nothing is changed in place. */
export function inNaturalOrder<Item>(items: readonly Item[], nameOf: (item: Item) => string): Item[] {
  return items
    .map((item) => ({ item, name: nameOf(item), key: naturalKey(nameOf(item)) }))
    .sort((one, other) => compare(one.key, other.key) || compare(one.name, other.name))
    .map(({ item }) => item);
}

// A number sorts by how many digits it has, then by the digits, so that comparing texts compares numbers of any size.
function naturalKey(name: string): string {
  return name.replace(/\d+/g, (run) => {
    const digits = run.replace(/^0+(?=\d)/, '');
    return String(digits.length).padStart(3, '0') + digits;
  });
}

// By code unit and not by locale: the same list prints the same everywhere.
function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
