import { join } from 'node:path';
import process from 'node:process';
import { Agent } from '../agent/agent.ts';
import { HealthChecks } from '../agent/health.ts';
import { agentDescription } from '../cli/daemon-descriptions.ts';
import type { ConfigSource, Daemon } from '../cli/serve-until-stopped.ts';
import { agentKeysForRestart, readAgentConfig } from '../config/agent.ts';
import { Closing } from '../platform/closing.ts';
import type { OpenLog } from '../platform/log.ts';
import { nodeClock } from '../platform/node/clock.ts';
import { nodeFiles } from '../platform/node/files.ts';
import { readHostFacts } from '../platform/node/host.ts';
import { newBootId } from '../platform/node/ids.ts';
import { nodeProbe } from '../platform/node/probe.ts';
import { nodeProcessTable } from '../platform/node/process-table.ts';
import { NodeProcesses } from '../platform/node/processes.ts';
import { loadPseudoTerminals } from '../platform/node/pseudo-terminal.ts';
import { AliasedProvider } from '../provider/aliases.ts';
import { Bundles } from '../provider/bundles.ts';
import { VerifiedProvider } from '../provider/verified.ts';
import { SqliteJournal } from '../store/sqlite-journal.ts';
import { openAgentHome } from './agent-home.ts';
import { agentLinks, gateRulesOf, ownKeysOf } from './agent-security.ts';
import { fileHeadsIn, openAuditLog } from './audit-log.ts';
import { runAsProcess, sockets } from './daemon-platform.ts';
import { openHostServices } from './host-services.ts';

async function startAgent(source: ConfigSource, log: OpenLog): Promise<Daemon> {
  const config = readAgentConfig(source.text, source.file);
  log.setLevel(config.logLevel);
  const links = agentLinks(config, source.file);
  const { security } = links;
  const rules = gateRulesOf(config);
  const scratchDir = join(config.stateDir, 'output');
  nodeFiles.makeFolder(scratchDir);
  const closing = new Closing();
  try {
    const journal = closing.add(
      await SqliteJournal.open({
        file: join(config.stateDir, 'agent.db'),
        nowWallMs: nodeClock.wallMs(),
        onSetAside: (reason, movedTo) => log.error('journal.set_aside', { reason, movedTo }),
      }),
    );
    const heads = fileHeadsIn(config.stateDir);
    const audit = openAuditLog(config.security, config.stateDir, heads, log);
    if (audit !== undefined) closing.add(audit);
    const host = readHostFacts();
    const pseudoTerminals = await loadPseudoTerminals();
    const processes = closing.add(new NodeProcesses({ scratchDir, pseudoTerminals }));
    const { chosen, provider: real } = openHostServices(config, processes);
    const { name: providerName, program } = chosen;
    log.info('provider.chosen', { provider: providerName, program });
    const { aliases, hasKnownAliases, bundles, outputLimitBytes, settleMs } = config;
    const [clock, processTable] = [nodeClock, nodeProcessTable];
    const verified = new VerifiedProvider({ provider: real, processTable, clock, settleMs });
    const aliased = new AliasedProvider({ provider: verified, clock, aliases, hasKnownAliases });
    const provider = new Bundles({ provider: aliased, clock, bundles, outputLimitBytes });
    const programs = config.healthChecks;
    const health = new HealthChecks({ clock, probe: nodeProbe, processes, programs });
    const identity = { pid: process.pid, boot: newBootId(), random: Math.random };
    const services = { provider, providerName, health };
    const deps = { sockets, clock, log, host, ...services, journal, ...identity, security, rules, audit };
    const agent = closing.add(await Agent.start({ ...config, ...links }, deps));
    return {
      finished: agent.finished,
      isSecure: security !== undefined,
      reload: async ({ text, file }) => {
        const next = readAgentConfig(text, file);
        const changed = { ...next, rules: gateRulesOf(next), own: ownKeysOf(next, links) };
        log.setLevel(next.logLevel);
        await agent.reconfigure(changed);
        aliased.replace(next);
        provider.replace(next.bundles);
        health.replace(next.healthChecks);
        return agentKeysForRestart(config, next);
      },
      hasProgressed: () => agent.hasProgressed(),
      summary: () => `${agent.counters.tasks} actions, ${agent.counters.undelivered} answers on their way`,
      close: () => closing.close(),
    };
  } catch (error) {
    await closing.close();
    throw error;
  }
}

runAsProcess({ ...agentDescription, start: startAgent, openHome: openAgentHome });
