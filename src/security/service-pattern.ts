/**
 * Whether a pattern, in which each `*` stands for any characters, also none, matches the whole name. Each piece between two
 * stars is taken at the first place where it stands and never moved again: a later place would leave less to the others.
 */
export function matchesPattern(pattern: string, name: string): boolean {
  const [first = '', ...others] = pattern.split('*');
  const last = others.pop();
  if (last === undefined) return pattern === name;
  if (!name.startsWith(first)) return false;
  let from = first.length;
  for (const piece of others) {
    const found = name.indexOf(piece, from);
    if (found < 0) return false;
    from = found + piece.length;
  }
  return name.length - last.length >= from && name.endsWith(last);
}

// service(8) on systemd takes `sshd`, `sshd.service` and `sshd.sh` for one unit.
const ending = /(?:\.service|\.sh)+$/;

/** All that a service may be called where `name` reaches it: a rule about one of them is about the service. */
export function namesOfService(name: string): string[] {
  const bare = name.replace(ending, '');
  return bare === '' ? [name] : [...new Set([name, bare, `${bare}.service`])];
}
