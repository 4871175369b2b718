import type { HandshakeFailure } from '../platform/socket-security.ts';
import type { Sockets } from '../platform/sockets.ts';
import type { CurveKeys } from '../security/keys.ts';
import type { NodeName, Topic } from '../wire/fields.ts';
import type { AgentConfig, AgentSecurity } from './agent-config.ts';
import { Credentials } from './credentials.ts';
import { Link } from './link.ts';

export interface LinksOptions {
  readonly config: Pick<AgentConfig, 'managerEndpoints' | 'sinkEndpoints' | 'protocol'>;
  readonly sockets: Sockets;
  readonly security: AgentSecurity | undefined;
  readonly node: NodeName;
  readonly topics: ReadonlySet<Topic>;
  readonly nextSequence: () => number;
  /** A manager does not let this agent in. */
  readonly onRefused: (manager: string, failure: HandshakeFailure) => void;
}

/** The ways to all managers that this agent serves. */
export class Links {
  readonly all: readonly Link[];
  /** Of each link; none without security. */
  readonly #credentials: readonly Credentials[];

  constructor(options: LinksOptions) {
    const { security } = options;
    const credentials =
      security?.managers.map((managers) => new Credentials({ ...security, managers })) ?? [];
    this.#credentials = credentials;
    this.all = options.config.managerEndpoints.map((_, index) => linkTo(index, options, credentials[index]));
  }

  /** By which keys the agent and its managers know each other now; undefined without security. */
  get security(): Pick<AgentSecurity, 'own' | 'managers'> | undefined {
    const [first] = this.#credentials;
    if (first === undefined) return undefined;
    return { own: first.own, managers: this.#credentials.map(({ managers }) => managers) };
  }

  /** Messages that could not be sent. */
  get dropped(): number {
    return this.all.reduce((sum, link) => sum + link.dropped, 0);
  }

  listenTo(topics: ReadonlySet<Topic>): void {
    for (const link of this.all) link.listenTo(topics);
  }

  /** The agent has these keys from now on. */
  replaceOwnKeys(own: CurveKeys): void {
    for (const link of this.all) link.replaceOwnKeys(own);
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((link) => link.close()));
  }
}

function linkTo(index: number, options: LinksOptions, credentials: Credentials | undefined): Link {
  const { config, sockets, node, topics, nextSequence, onRefused } = options;
  const { managerEndpoints, sinkEndpoints, protocol } = config;
  const [managerEndpoint = '', sinkEndpoint = ''] = [managerEndpoints[index], sinkEndpoints[index]];
  return new Link({
    ...{ sockets, managerEndpoint, sinkEndpoint, node, topics, protocol, nextSequence, credentials },
    onRefused: (failure) => onRefused(sinkEndpoint, failure),
  });
}
