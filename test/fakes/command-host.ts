import { runDaemon } from '../../src/cli/daemon.ts';
import { agentDescription, managerDescription } from '../../src/cli/daemon-descriptions.ts';
import type { AgentHome, DaemonHome, ManagerHome } from '../../src/cli/daemon-home.ts';
import type { DaemonDescription } from '../../src/cli/daemon-options.ts';
import type { CurveKeys } from '../../src/security/keys.ts';
import { KeyFolder } from '../../src/store/key-folder.ts';
import { ManagerKeyFiles } from '../../src/store/manager-key-files.ts';
import { ServiceManagerError } from '../../src/wire/errors.ts';
import type { NodeName } from '../../src/wire/fields.ts';
import type { ManagementHandlers } from '../../src/wire/management.ts';
import { RunningManagement } from './management-door.ts';
import { MemoryKeyFiles } from './memory-key-files.ts';
import { ScriptedDaemon } from './scripted-daemon.ts';
import { type Ended, untilEnded } from './until-ended.ts';

/** A host on which the commands of a daemon are run, with what a test gives the daemon as its home. */
export class CommandHost<Home extends DaemonHome> extends ScriptedDaemon {
  readonly keyFiles: MemoryKeyFiles;
  override home: Home;
  readonly #description: DaemonDescription<Home>;

  constructor(description: DaemonDescription<Home>, keyFiles: MemoryKeyFiles, home: Home) {
    super();
    this.#description = description;
    this.keyFiles = keyFiles;
    this.home = home;
  }

  override run(...argv: readonly string[]): Promise<number> {
    const program = { ...this.#description, ...this.startable };
    const openHome = () => this.home;
    return runDaemon(argv, { ...program, ...this.#description, openHome }, this.deps);
  }

  /** Runs a command to its end. */
  end(line: string): Promise<Ended> {
    return untilEnded(() => this.run(...line.split(' ')), this.clock, this.terminal);
  }

  /** The daemon runs, and answers these commands. */
  runsWith(handlers: ManagementHandlers, own?: CurveKeys): Promise<RunningManagement> {
    const endpoint = this.home.managementEndpoint.replace('localhost', '127.0.0.1');
    return RunningManagement.start(this.sockets, this.clock, endpoint, handlers, own);
  }
}

const nothingElse = {
  policy: { file: '/etc/service-mgr/x.policy', read: () => undefined },
  audit: undefined,
};

/** Where service-mgrd runs, or will run. */
export function managerHost(): CommandHost<ManagerHome> {
  const files = new MemoryKeyFiles(0, { 'service-mgr': 998 });
  const keyFile = '/var/lib/service-mgr/manager.key';
  const keys = new ManagerKeyFiles({ files, keyFile, owner: 'service-mgr' });
  const ownKeys = () => (keys.hasKeys ? keys.loadCurrent().curve : undefined);
  const managementEndpoint = 'tcp://localhost:5800';
  const joinEndpoint = 'tcp://*:5850';
  const home = { keys, joinEndpoint, name: 'mgr1' as NodeName, managementEndpoint, ownKeys, ...nothingElse };
  return new CommandHost<ManagerHome>(managerDescription, files, home);
}

const cannotBeAsked: AgentHome['restart'] = async () => {
  throw new ServiceManagerError('PROVIDER_FAILED', 'cannot run service: there is none');
};

/** Where service-mgr-agentd runs, or will run, on the node web1. `restart`: what becomes of it by the service manager there. */
export function agentHost(restart = cannotBeAsked): CommandHost<AgentHome> {
  const files = new MemoryKeyFiles(0);
  const folder = new KeyFolder({
    ...{ files, keyFile: '/var/lib/service-mgr/agent/agent.key', kinds: ['agent'] },
    managersFolder: '/var/lib/service-mgr/agent/managers',
  });
  const ownKeys = () => (folder.managers().length === 0 ? undefined : folder.load()?.curve);
  const managementEndpoint = 'tcp://localhost:6000';
  const home = { folder, name: 'web1' as NodeName, managementEndpoint, ownKeys, restart, ...nothingElse };
  return new CommandHost<AgentHome>(agentDescription, files, home);
}
