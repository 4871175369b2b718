import type { WantedSecurity } from './exposure.ts';
import type { Key } from './key.ts';
import type { Check, Settings } from './reader.ts';
import { keysThatDiffer } from './reload.ts';
import { allowInsecureKey, auditKey, auditMaxBytesKey, modeKey, securityKey } from './security-keys.ts';
import { absolutePath, oneOf } from './values.ts';

/** [security] in service-mgr-agentd.conf */
export interface AgentSecurity extends WantedSecurity {
  /** Undefined: `agent.key` in the state directory. */
  readonly keyFile: string | undefined;
  /** Whose word is enough to run something. */
  readonly trust: 'manager' | 'operators';
  readonly operatorsDir: string;
  /** May be missing. */
  readonly policyFile: string;
  readonly isAudited: boolean;
  readonly auditMaxBytes: number;
}

export const agentSecurityKeys = {
  mode: modeKey(
    'With curve the agent serves only managers that it has joined, with none all that it is told to; not set: curve if the agent has a key, else none.',
  ),
  allowInsecure: allowInsecureKey,
  keyFile: securityKey(
    'key_file',
    absolutePath,
    undefined,
    'The file with the secret key of the agent, instead of agent.key in state_dir.',
  ),
  trust: securityKey(
    'trust',
    oneOf(['manager', 'operators']),
    'manager',
    'With manager the agent runs what its managers say, with operators only what somebody has signed whose key is in operators_dir.',
  ),
  operatorsDir: securityKey(
    'operators_dir',
    absolutePath,
    '/etc/service-mgr/operators.d',
    'The directory with the public keys of operators for trust = operators, each in a file NAME.pub.',
  ),
  policyFile: securityKey(
    'policy_file',
    absolutePath,
    '/etc/service-mgr/service-mgr-agentd.policy',
    'The rules of this node that say who may do what here, whatever those of the manager are; the file may be missing.',
  ),
  isAudited: auditKey,
  auditMaxBytes: auditMaxBytesKey('256MiB'),
};

export function readAgentSecurity(settings: Settings): AgentSecurity {
  const keys = agentSecurityKeys;
  return {
    mode: settings.find(keys.mode) ?? 'auto',
    allowInsecure: settings.get(keys.allowInsecure) === 'yes',
    keyFile: settings.find(keys.keyFile),
    trust: settings.get(keys.trust),
    operatorsDir: settings.get(keys.operatorsDir),
    policyFile: settings.get(keys.policyFile),
    isAudited: settings.get(keys.isAudited) === 'yes',
    auditMaxBytes: settings.get(keys.auditMaxBytes),
  };
}

/** Managers of the 2014 release have no keys, and hand no signature on. */
export function refuseOldProtocol(protocol: Key<'v1' | 'v2'>): Check {
  return (settings) => {
    if (settings.find(protocol) !== 'v1') return [];
    const { mode, trust } = agentSecurityKeys;
    const needs = [
      settings.find(mode) === 'curve' ? 'mode = curve' : undefined,
      settings.find(trust) === 'operators' ? 'trust = operators' : undefined,
    ].filter((need) => need !== undefined);
    const why = `because [security] says ${needs.join(' and ')}, which v1 has nothing for`;
    return needs.length === 0 ? [] : [{ key: protocol, expected: `v2, ${why}` }];
  };
}

/** What a running agent takes over at once. */
type Live = 'trust' | 'operatorsDir' | 'policyFile';

const { trust: _, operatorsDir: __, policyFile: ___, ...others } = agentSecurityKeys;
const fixed: Readonly<Record<Exclude<keyof AgentSecurity, Live>, Key<unknown>>> = others;

/** The keys of which the values differ, but only take effect at the next start. */
export function agentSecurityForRestart(running: AgentSecurity, next: AgentSecurity): string[] {
  return keysThatDiffer(fixed, running, next);
}
