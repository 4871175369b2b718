/** A host on which the programs are installed, and on which the manager runs. */
export interface InstalledHost {
  /** Runs a line of sh and resolves with what it printed; throws when it fails. */
  sh(line: string): Promise<string>;
}

export interface JoinOptions {
  /** The command line for one of our programs: its name where it is on the PATH. */
  readonly commandFor?: (program: string) => string;
  /** Where the manager hears strangers. */
  readonly joinEndpoint?: string;
}

/** As somebody does it who has installed the programs: lets whoever calls it in as an operator, and the agent of this host. */
export async function joinInstalled(
  { sh }: InstalledHost,
  { commandFor = (program) => program, joinEndpoint = 'tcp://127.0.0.1' }: JoinOptions = {},
): Promise<void> {
  const joins = { operator: 'service-mgr-client', agent: 'service-mgr-agentd' };
  for (const [role, program] of Object.entries(joins)) {
    const token = await sh(`${commandFor('service-mgrd')} token create --role ${role}`);
    await sh(`${commandFor(program)} join ${token.trim()} --manager ${joinEndpoint}`);
  }
}
