import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { built, Daemon, type DaemonOptions } from './daemon.ts';
import { type RunningManager, runClient } from './fleet.ts';
import type { JsonObject } from './management.ts';
import { freeEndpoint } from './ports.ts';
import { type Ended, runProgram } from './processes.ts';
import { temporaryFolder } from './temporary-folder.ts';

const deadlineMs = 30_000;

export interface CommandAgentOptions extends Pick<DaemonOptions, 'settings' | 'sections'> {
  readonly nodeName: string;
  readonly security?: Readonly<Record<string, string>>;
}

/** An agent as an admin has it: it knows nothing until it is told by commands. */
export class CommandAgent extends Daemon {
  static async create({
    nodeName,
    settings,
    sections,
    security,
  }: CommandAgentOptions): Promise<CommandAgent> {
    const mgmtEndpoint = await freeEndpoint();
    const all = { mgmt_endpoint: mgmtEndpoint, node_name: nodeName, settle_time: 0, ...settings };
    const own = { mode: 'curve', policy_file: join(temporaryFolder(), 'policy'), ...security };
    return new CommandAgent('agent', `agent ${nodeName}`, mgmtEndpoint, all, {
      sections: { ...sections, security: own },
    });
  }

  command(...args: readonly string[]): Promise<Ended> {
    return agentCommand(this, ...args);
  }

  override async status(): Promise<JsonObject> {
    const { result } = JSON.parse((await this.command('status')).stdout);
    return result;
  }
}

/** A person with a folder for keys. */
export class Person {
  readonly keyDir = join(temporaryFolder(), 'keys');
  readonly configFile = join(temporaryFolder(), 'client.conf');

  constructor() {
    writeFileSync(this.configFile, `[security]\nkey_dir = ${this.keyDir}\n`);
  }

  client(...args: readonly string[]) {
    return runClient([...args, '-f', this.configFile], { deadlineMs });
  }
}

/** Of service-mgrd, with the configuration of this manager. */
export function managerCommand({ configFile }: RunningManager, ...args: readonly string[]): Promise<Ended> {
  return command('service-mgrd', configFile, args);
}

/** Of service-mgr-agentd, with the configuration of this agent. */
export function agentCommand({ configFile }: Daemon, ...args: readonly string[]): Promise<Ended> {
  return command('service-mgr-agentd', configFile, args);
}

/** What stands on standard output of a command that has to go well. */
export async function output(running: Promise<Ended>): Promise<string> {
  const { code, stdout, stderr } = await running;
  if (code !== 0) throw new Error(`code ${code}: ${stderr}`);
  return stdout.trim();
}

function command(name: string, configFile: string, args: readonly string[]): Promise<Ended> {
  return runProgram(process.execPath, [built(name), '-f', configFile, ...args], { label: name, deadlineMs });
}
