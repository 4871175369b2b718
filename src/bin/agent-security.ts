import { join } from 'node:path';
import type { AgentSecurity } from '../agent/agent-config.ts';
import type { GateRules } from '../agent/gate.ts';
import type { AgentConfig } from '../config/agent.ts';
import { securityModeOf } from '../config/exposure.ts';
import { readPolicyFile } from '../config/policy-file.ts';
import { readHostFacts } from '../platform/node/host.ts';
import type { SecretKeyFile } from '../security/key-file.ts';
import type { CurveKeys } from '../security/keys.ts';
import type { KnownManager } from '../security/known-manager.ts';
import { KeyFolder } from '../store/key-folder.ts';
import { readOperators } from '../store/operators.ts';
import { ServiceManagerError } from '../wire/errors.ts';
import type { NodeName } from '../wire/fields.ts';
import { keyFiles } from './daemon-platform.ts';

/** The managers that an agent is to serve, with what it knows of each. */
export interface AgentLinks {
  readonly managerEndpoints: readonly string[];
  readonly sinkEndpoints: readonly string[];
  /** Undefined: without security. */
  readonly security: AgentSecurity | undefined;
}

const remedy = 'service-mgr-agentd join TOKEN --manager tcp://HOST';
const local = { backend: 'tcp://localhost:5600', sink: 'tcp://localhost:5700' };

export function agentKeyFolder({
  security,
  stateDir,
}: Pick<AgentConfig, 'security' | 'stateDir'>): KeyFolder {
  const keyFile = security.keyFile ?? join(stateDir, 'agent.key');
  return new KeyFolder({
    ...{ files: keyFiles, keyFile, kinds: ['agent'] },
    managersFolder: join(stateDir, 'managers'),
  });
}

/** What the node is called. */
export function nodeNameOf({ nodeName }: Pick<AgentConfig, 'nodeName'>): NodeName {
  return nodeName ?? (readHostFacts().hostname as NodeName);
}

/** Whom it serves, by its file or by what it has joined, and with which keys. Throws BAD_CONFIG. */
export function agentLinks(config: AgentConfig, fileName: string): AgentLinks {
  const folder = agentKeyFolder(config);
  const keys = folder.load();
  const own = keys?.curve;
  const joined = folder.managers();
  const { managerEndpoints, sinkEndpoints } = endpointsOf(config, joined);
  const endpoints = {
    manager_endpoint: managerEndpoints,
    sink_endpoint: sinkEndpoints,
    mgmt_endpoint: [config.mgmtEndpoint],
  };
  const hasKeys = own !== undefined && joined.length > 0;
  const mode = securityModeOf({ ...config.security, hasKeys }, endpoints, fileName, remedy);
  if (mode === 'none') return { managerEndpoints, sinkEndpoints, security: undefined };
  if (config.protocol === 'v1')
    throw new ServiceManagerError(
      'BAD_CONFIG',
      `${fileName}: protocol = v1 knows no security: say mode = none`,
    );
  if (own === undefined || joined.length === 0)
    throw new ServiceManagerError(
      'BAD_CONFIG',
      `${fileName}: this agent has joined no manager: run "${remedy}" with a token of "service-mgrd token create --role agent"`,
    );
  refuseForeign(keys, nodeNameOf(config), folder.keyFile);
  const managers = managerEndpoints.map((endpoint) => managersAt(endpoint, joined));
  const keep = (manager: KnownManager) => folder.keepManager(manager);
  return { managerEndpoints, sinkEndpoints, security: { own, managers, keep } };
}

/** No manager would believe a word of it, and it would do what it is told all the same. */
function refuseForeign(keys: SecretKeyFile | undefined, name: NodeName, keyFile: string): void {
  if (keys === undefined || keys.name === name) return;
  throw new ServiceManagerError(
    'BAD_CONFIG',
    `this node is called ${name}, but ${keyFile} has the keys of ${keys.name}: ` +
      `remove the file and join again, or say node_name = ${keys.name} in the configuration`,
  );
}

/** Its own keys as they are now; undefined where it runs without security. */
export function ownKeysOf(config: AgentConfig, links: AgentLinks): CurveKeys | undefined {
  return links.security === undefined ? undefined : agentKeyFolder(config).load()?.curve;
}

/** Throws BAD_CONFIG. */
export function gateRulesOf({ security, extraActions }: AgentConfig): GateRules {
  const { trust, operatorsDir, policyFile } = security;
  return {
    trust:
      trust === 'manager'
        ? { kind: 'manager' }
        : { kind: 'operators', known: readOperators(keyFiles, operatorsDir) },
    policy: readPolicyFile(keyFiles, policyFile, extraActions),
  };
}

function endpointsOf({ managerEndpoints, sinkEndpoints }: AgentConfig, joined: readonly KnownManager[]) {
  if (managerEndpoints !== undefined && sinkEndpoints !== undefined)
    return { managerEndpoints, sinkEndpoints };
  const reached = joined.flatMap(({ endpoints: { backend, sink } }) =>
    backend === undefined || sink === undefined ? [] : [{ backend, sink }],
  );
  const served = reached.length > 0 ? reached : [local];
  return {
    managerEndpoints: served.map(({ backend }) => backend),
    sinkEndpoints: served.map(({ sink }) => sink),
  };
}

/** Those that may be there: the one that is known to, else all of them. */
function managersAt(endpoint: string, joined: readonly KnownManager[]): readonly KnownManager[] {
  const known = joined.filter(({ endpoints: { backend } }) => backend === endpoint);
  return known.length > 0 ? known : joined;
}
