import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { Command, Option } from 'commander';
import { clientCommand } from '../../src/cli/client-options.ts';
import { agentDescription, managerDescription } from '../../src/cli/daemon-descriptions.ts';
import type { DaemonHome } from '../../src/cli/daemon-home.ts';
import { type DaemonDescription, daemonCommand } from '../../src/cli/daemon-options.ts';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { formats } from '../../src/cli/print.ts';
import { clientKeys } from '../../src/config/client.ts';
import { actions, states } from '../../src/wire/fields.ts';
import { RecordedTerminal } from '../fakes/recorded-terminal.ts';

const top = new URL('../../', import.meta.url);
const readme = readFileSync(new URL('README.md', top), 'utf8');

/** The text below a heading, up to the next one. */
function section(title: string): string {
  const [, found] = readme.split(new RegExp(`^#+ ${title}$`, 'm'));
  if (found === undefined) throw new Error(`README.md: no heading "${title}"`);
  return found.split(/^#+ /m)[0] ?? '';
}

/** The cells of a section's table, without its head. */
function rows(title: string): string[][] {
  const lines = section(title)
    .split('\n')
    .filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

function unquoted(cell: string | undefined): string {
  return (cell ?? '').replaceAll('`', '');
}

/** Also the option that shows the help, which is not among `options`. */
function optionsOf(command: unknown): readonly Option[] {
  const plain = command as Command;
  return plain.createHelp().visibleOptions(plain);
}

function defaultsShown(title: string): Map<string, string> {
  return new Map(rows(title).map(([flags, value]) => [unquoted(flags), unquoted(value)]));
}

const terminal = new RecordedTerminal();
const client = optionsOf(clientCommand(terminal));
const commandOf = <Home extends DaemonHome>(description: DaemonDescription<Home>) =>
  daemonCommand({ ...description, name: 'NAME' }, terminal, () => {});
const daemons = [commandOf(managerDescription), commandOf(agentDescription)];

describe('README.md', () => {
  it('lists the options of the client as they are', () => {
    const shown = rows('Options of service-mgr-client').map(([flags]) => unquoted(flags));
    expect(shown).to.have.members(client.map(({ flags }) => flags));
  });

  it('shows the defaults of the client', () => {
    const shown = defaultsShown('Options of service-mgr-client');
    for (const { flags, defaultValue } of client) {
      if (typeof defaultValue === 'string') expect(shown.get(flags), flags).to.equal(defaultValue);
    }
    const fromConfig = {
      '-w, --wait-time <seconds>': clientKeys.waitTime,
      '-t, --timeout <milliseconds>': clientKeys.timeout,
      '-r, --retries <count>': clientKeys.retries,
    };
    for (const [flags, { fallback }] of Object.entries(fromConfig)) {
      expect(shown.get(flags), flags).to.equal(fallback);
    }
    const [local = 'no endpoint'] = /tcp:\S+\d/.exec(clientKeys.endpoint.summary) ?? [];
    expect(shown.get('-e, --endpoint <endpoints>')).to.include(local);
  });

  it('lists the options and commands of the daemons as they are', () => {
    const title = 'Options of service-mgrd and service-mgr-agentd';
    const shown = defaultsShown(title);
    expect(shown.get('-f, --config <file>')).to.equal('/etc/service-mgr/NAME.conf');
    for (const daemon of daemons) {
      expect([...shown.keys()]).to.have.members(optionsOf(daemon).map(({ flags }) => flags));
      for (const verb of daemon.commands) expect(section(title)).to.include(`\`${verb.name()}\``);
    }
  });

  it('lists the exit codes of the client as they are', () => {
    const shown = rows('Exit codes').map(([code, meaning]) => ({ code: Number(code), meaning }));
    expect(shown).to.deep.equal(exitCodes.map(({ code, meaning }) => ({ code, meaning })));
  });

  it('shows each format', () => {
    const shown = [...section('Formats').matchAll(/^`--format (\w+)`/gm)].map(([, format]) => format);
    expect(shown).to.have.members([...formats]);
  });

  it('lists the ports of the examples in conf/', () => {
    const shown = rows('Ports').map(([port, key]) => `${unquoted(key)} ${port}`);
    const examples = readdirSync(new URL('conf/', top)).filter((name) => name.endsWith('.conf'));
    const inUse = examples.flatMap((name) => {
      const text = readFileSync(new URL(`conf/${name}`, top), 'utf8');
      const bound = text.matchAll(/^#?(\w+_endpoint) = tcp:\/\/(?:\*|127\.0\.0\.1):(\d+)$/gm);
      return Array.from(bound, ([, key, port]) => `${key} ${port}`);
    });
    expect(shown).to.have.members(inUse);
  });

  it('names each action and each state', () => {
    for (const word of [...actions, ...states]) expect(section('Use')).to.include(`\`${word}\``);
  });
});
