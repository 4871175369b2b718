/** The same thing; `before` may throw in its place, `after` learns what was done. */
export function guarded<Thing extends object>(
  thing: Thing,
  before: (method: string) => void,
  after: (method: string) => void = () => {},
): Thing {
  return new Proxy(thing, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        before(String(name));
        const result: unknown = Reflect.apply(value, target, args);
        after(String(name));
        return result;
      };
    },
  });
}
