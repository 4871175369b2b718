import { type Key, optionalKey, requiredKey } from './key.ts';
import type { Check, Refusal } from './reader.ts';
import { bindEndpoint, connectEndpoint, listOf } from './values.ts';

export const agentEndpointKeys = {
  managerEndpoints: optionalKey(
    'manager_endpoint',
    listOf(connectEndpoint),
    undefined,
    'The backends of the managers, separated by commas, all of which the agent serves; not set: those of the managers that it joined, else tcp://localhost:5600.',
  ),
  sinkEndpoints: optionalKey(
    'sink_endpoint',
    listOf(connectEndpoint),
    undefined,
    'The sinks of the same managers, in the order of manager_endpoint; not set: those of the managers that it joined, else tcp://localhost:5700.',
  ),
  mgmtEndpoint: requiredKey(
    'mgmt_endpoint',
    bindEndpoint,
    'Where "service-mgr-agentd status" and "service-mgr-agentd stop" reach the agent; tcp://127.0.0.1:PORT keeps it to this host.',
  ),
};

const { managerEndpoints, sinkEndpoints } = agentEndpointKeys;

/** One manager stands at the same place in both lists, so there are both or none. */
export const refuseUnevenLists: Check = (settings) => {
  const hasManagers = settings.isWritten(managerEndpoints);
  const hasSinks = settings.isWritten(sinkEndpoints);
  if (hasManagers && !hasSinks) return [refuseAlone(managerEndpoints, sinkEndpoints)];
  if (hasSinks && !hasManagers) return [refuseAlone(sinkEndpoints, managerEndpoints)];
  const managers = settings.find(managerEndpoints);
  const sinks = settings.find(sinkEndpoints);
  if (managers === undefined || sinks === undefined || managers.length === sinks.length) return [];
  return [
    {
      key: sinkEndpoints,
      expected: `as many endpoints as in ${managerEndpoints.key}, which has ${managers.length}`,
    },
  ];
};

function refuseAlone(key: Key<unknown>, missing: Key<unknown>): Refusal {
  return { key, expected: `${missing.key} beside it: both are given or neither is` };
}
