import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DaemonOptions } from './daemon.ts';
import { daemonBody, initScript } from './init-script.ts';
import { onCleanUp } from './processes.ts';
import { endProcesses } from './service-processes.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** When an action that changes the service was at work on a node. Without `endMs` it still is, or its script was killed. */
export interface Span {
  readonly node: string;
  readonly beginMs: number;
  readonly endMs: number | undefined;
}

/** One service on many nodes of one host, each with its own init script, daemon and behaviour. */
export interface NodeService {
  readonly name: string;
  /** Has the script do this first, a line of sh, from its next action on; `status` is left alone. */
  behave(node: string, line: string): void;
  /** Has it hold every action before it does anything, until `openGate()`. */
  closeGate(...nodes: readonly string[]): void;
  openGate(): void;
  /** Actions that have begun, by node, without those that only look. */
  runs(): Record<string, number>;
  /** The same, in the order in which they have begun. */
  spans(): Span[];
}

/** Init scripts of their own for agents that share a host: each has a folder for what others have in /etc/init.d. */
export class NodeServices {
  readonly #folder = temporaryFolder();
  readonly #nodes: readonly string[];

  constructor(nodes: readonly string[]) {
    this.#nodes = nodes;
    for (const node of nodes) mkdirSync(join(this.#folder, node));
  }

  /** For `startAgent`. Its health check is called `up`, and ends with 0 unless `breakHealth` was told otherwise. */
  optionsFor(node: string, settings: DaemonOptions['settings'] = {}): DaemonOptions {
    return {
      settings: { provider: 'init.d', service_folder: join(this.#folder, node), ...settings },
      sections: { health: { up: this.#healthCheck(node) } },
    };
  }

  /** Has the health check of a node do this instead, a line of sh. */
  breakHealth(node: string, line: string): void {
    writeFileSync(join(this.#folder, node, '.health-line'), line);
  }

  /** On all nodes. Every one of its actions takes so long, and then does what is due. */
  install(takesMs = 0): NodeService {
    const name = `smtest-${randomBytes(4).toString('hex')}`;
    const folderOf = (node: string) => join(this.#folder, node, `.${name}`);
    const gate = join(this.#folder, `.gate-${name}`);
    for (const node of this.#nodes) {
      const folder = folderOf(node);
      mkdirSync(folder);
      for (const file of ['runs', 'spans', 'behaviour']) writeFileSync(join(folder, file), '');
      const text = initScript(name, join(folder, 'runs'), join(folder, 'pid'), scriptBody(folder, takesMs));
      writeFileSync(join(this.#folder, node, name), text, { mode: 0o755 });
    }
    onCleanUp(() => endProcesses(name));
    const behave = (node: string, line: string) => writeFileSync(join(folderOf(node), 'behaviour'), line);
    const spans = () =>
      this.#nodes
        .flatMap((node) => spansIn(node, join(folderOf(node), 'spans')))
        .toSorted((one, other) => one.beginMs - other.beginMs);
    return {
      ...{ name, behave, spans },
      closeGate: (...nodes) => {
        // Whoever still waits when the test is over goes on when its folder is gone.
        for (const node of nodes)
          behave(node, `until [ -e '${gate}' ] || [ ! -d '${this.#folder}' ]; do sleep 0.05; done`);
      },
      openGate: () => writeFileSync(gate, ''),
      runs: () => counted(spans().map(({ node }) => node)),
    };
  }

  #healthCheck(node: string): string {
    const file = join(this.#folder, node, '.health');
    const line = join(this.#folder, node, '.health-line');
    writeFileSync(line, '');
    writeFileSync(file, `#!/bin/sh\n. '${line}'\nexit 0\n`, { mode: 0o755 });
    return file;
  }
}

/** How many nodes were at work at the same moment, at most. */
export function mostAtWork(spans: readonly Span[]): number {
  const isAtWork = (atMs: number) => (span: Span) =>
    span.beginMs <= atMs && (span.endMs ?? span.beginMs) > atMs;
  return Math.max(0, ...spans.map(({ beginMs }) => spans.filter(isAtWork(beginMs)).length));
}

function scriptBody(folder: string, takesMs: number): string {
  return `note() { echo "$1 $(date +%s%3N)" >>'${folder}/spans'; }
if [ "$1" != status ]; then
  note begin
  trap 'note end' EXIT
  ${takesMs === 0 ? ':' : `sleep ${takesMs / 1_000}`}
  . '${folder}/behaviour'
fi
${daemonBody('</dev/null >/dev/null 2>&1')}`;
}

function spansIn(node: string, file: string): Span[] {
  const spans: Span[] = [];
  for (const line of readFileSync(file, 'utf8').trimEnd().split('\n')) {
    const [what, at] = line.split(' ');
    if (what === 'begin') spans.push({ node, beginMs: Number(at), endMs: undefined });
    const last = spans.at(-1);
    if (what === 'end' && last !== undefined) spans[spans.length - 1] = { ...last, endMs: Number(at) };
  }
  return spans;
}

function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
