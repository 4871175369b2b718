import type { AgentSecurity } from '../../src/agent/agent-config.ts';
import { Identity } from '../../src/client/identity.ts';
import type { KnownManager } from '../../src/security/known-manager.ts';
import type { JoinRole } from '../../src/wire/fields.ts';
import { type KeyOwner, keyFileOf, keyOwner } from '../fakes/key-owners.ts';
import type { ManagerHost } from './manager-host.ts';

/** The managers that somebody has joined, as in the folder in which they are kept. */
export class ManagersFolder {
  readonly #managers = new Map<string, KnownManager>();

  /** All of these; who is known is known as before. */
  know(hosts: readonly ManagerHost[]): readonly KnownManager[] {
    return hosts.map(({ name, known }) => {
      const manager = this.#managers.get(name) ?? known;
      this.#managers.set(name, manager);
      return manager;
    });
  }

  readonly keep = (manager: KnownManager): void => {
    this.#managers.set(manager.name, manager);
  };
}

/** The keys of the people and nodes of a fleet with security. All of them have joined all managers. */
export class FleetKeys {
  readonly #owners = new Map<string, KeyOwner>();
  readonly #folders = new Map<string, ManagersFolder>();

  /** Those whom every manager knows: the operators alice and bob, and eyes, a monitor. */
  people(): KeyOwner[] {
    return [this.operator(), this.operator('bob'), this.monitor()];
  }

  operator(name = 'alice'): KeyOwner {
    return this.#of('operator', name);
  }

  monitor(name = 'eyes'): KeyOwner {
    return this.#of('monitor', name);
  }

  agent(name: string): KeyOwner {
    return this.#of('agent', name);
  }

  /** Everybody so far. */
  all(): KeyOwner[] {
    return [...this.#owners.values()];
  }

  /** The node has other keys from now on. */
  replaceAgent(name: string): KeyOwner {
    const owner = keyOwner('agent', name);
    this.#owners.set(`agent ${name}`, owner);
    return owner;
  }

  identity(owner: KeyOwner, hosts: readonly ManagerHost[]): Identity {
    const folder = this.#folderOf(owner);
    return new Identity({ keys: keyFileOf(owner), managers: folder.know(hosts), keep: folder.keep });
  }

  agentSecurity(name: string, hosts: readonly ManagerHost[]): AgentSecurity {
    const owner = this.agent(name);
    const folder = this.#folderOf(owner);
    const managers = folder.know(hosts).map((manager) => [manager]);
    return { own: owner.curve, managers, keep: folder.keep };
  }

  #of(role: JoinRole, name: string): KeyOwner {
    const place = `${role} ${name}`;
    const owner = this.#owners.get(place) ?? keyOwner(role, name);
    this.#owners.set(place, owner);
    return owner;
  }

  #folderOf({ role, name }: KeyOwner): ManagersFolder {
    const folder = this.#folders.get(`${role} ${name}`) ?? new ManagersFolder();
    this.#folders.set(`${role} ${name}`, folder);
    return folder;
  }
}
