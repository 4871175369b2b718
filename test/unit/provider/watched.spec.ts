import { expect } from 'chai';
import type { Processes } from '../../../src/platform/processes.ts';
import { AliasedProvider } from '../../../src/provider/aliases.ts';
import { Bundles } from '../../../src/provider/bundles.ts';
import { chooseProvider, type ProviderName } from '../../../src/provider/choose.ts';
import { openProvider } from '../../../src/provider/open.ts';
import { VerifiedProvider } from '../../../src/provider/verified.ts';
import { hostView } from '../../fakes/host-view.ts';
import { ManualClock } from '../../fakes/manual-clock.ts';
import { MemoryProcessTable } from '../../fakes/memory-process-table.ts';
import { actionOf, serviceOf } from '../../fakes/scripted-host.ts';

const nothing = { text: '', cutBytes: 0 };

/** A host on which whatever is run prints its own command line; nginx runs from its start on. */
class TalkingHost implements Processes {
  readonly runs: string[] = [];
  #isUp = false;

  readonly run: Processes['run'] = async (file, args, { onOutput }) => {
    const command = [file, ...args].join(' ');
    this.runs.push(command);
    onOutput?.(command, 'stdout');
    if (/\bstart\b/.test(command)) this.#isUp = true;
    const stdout = { text: this.#status(file), cutBytes: 0 };
    const exitCode = this.#isUp || file === 'systemctl' ? 0 : 3;
    return { exitCode, timedOut: false, aborted: false, stdout, stderr: nothing, durationMs: 0 };
  };

  #status(file: string): string {
    if (file === 'sv') return `${this.#isUp ? 'run' : 'down'}: /etc/service/nginx: (pid 9) 1s\n`;
    return `LoadState=loaded\nActiveState=${this.#isUp ? 'active' : 'inactive'}\nSubState=x\n`;
  }
}

/** All that an agent puts around the provider of its host. */
function agentOn(name: ProviderName, clock: ManualClock, processes: Processes) {
  const files = {
    '/etc/service/': '',
    '/etc/service/nginx/': '',
    '/etc/init.d/': '',
    '/run/systemd/system/': '',
  };
  const programs = ['service', 'systemctl', 'rc-service', 'sv', '/etc/init.d/nginx'];
  const host = hostView(files, programs);
  const settings = { provider: name, serviceProgram: undefined, serviceFolder: undefined };
  const processTable = new MemoryProcessTable().starts(9);
  const deps = { ...host, processes, processTable, outputLimitBytes: 1_000 };
  const real = openProvider(chooseProvider(settings, host), deps);
  const verified = new VerifiedProvider({ provider: real, processTable, clock, settleMs: 100 });
  const aliases = { aliases: new Map(), hasKnownAliases: false };
  const aliased = new AliasedProvider({ provider: verified, clock, ...aliases });
  const services = [serviceOf('nginx')];
  const web = { services, stopOnError: undefined, timeoutMs: undefined, timeoutsMs: new Map() };
  return new Bundles({ provider: aliased, clock, bundles: new Map([['web', web]]), outputLimitBytes: 1_000 });
}

describe('who watches an action', () => {
  for (const [name, command] of [
    ['service', 'service nginx start'],
    ['init.d', '/etc/init.d/nginx start'],
    ['systemd', 'systemctl --no-pager --full start nginx.service'],
    ['openrc', 'rc-service nginx start'],
    ['rc', 'service nginx start'],
    ['runit', 'sv start /etc/service/nginx'],
  ] as const) {
    it(`sees what it prints, and nothing of the looks before and after it: ${name}`, async () => {
      const [clock, host] = [new ManualClock(), new TalkingHost()];
      const seen: string[] = [];
      const limits = { timeoutMs: 60_000, onOutput: (text: string) => seen.push(text) };
      let isOver = false;
      const run = agentOn(name, clock, host)
        .run(serviceOf('bundle:web'), actionOf('start'), limits)
        .finally(() => {
          isOver = true;
        });
      await clock.advanceAsync(0);
      while (!isOver) await clock.advanceAsync(10);
      expect((await run).members).to.have.nested.property('[0].outcome', 'ok');
      expect(seen).to.deep.equal([command]);
      expect(host.runs.length).to.be.above(3);
    });
  }
});
