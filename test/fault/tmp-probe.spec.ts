import { setTimeout as sleep } from 'node:timers/promises';
import { startAgent, startManager, runClient } from '../e2e/harness/fleet.ts';
import { cleanUp } from '../e2e/harness/processes.ts';
import { makeNetwork } from './network.ts';
import { serviceProgram } from '../e2e/harness/service-program.ts';
describe('probe', function () {
  this.timeout(190_000);
  after(cleanUp);
  it('times', async () => {
    const network = makeNetwork();
    const at = (port: number) => `tcp://10.77.0.1:${port}`;
    const manager = await startManager({ within: network.manager.enter, endpoints: { frontend: at(5500), backend: at(5600), sink: at(5700), publisher: at(5750), mgmt: at(5800) } });
    const agent = await startAgent({ managers: [manager], within: network.agent.enter, serviceProgram: serviceProgram('sleep 2').file });
    await sleep(1000);
    const show = async (line: string[]) => { const r = await runClient(line, { within: network.manager.enter }); process.stdout.write(`${line.join(' ')}: ${r.code} ${r.elapsedMs}\n${r.stdout}${r.stderr}\n`); return r; };
    const a = show(manager.request('any', 'restart', 'x', '-w', '5'));
    await sleep(1000); network.cut('both'); await sleep(30_000); network.heal(); process.stdout.write(`HEALED ${new Date().toISOString()}\n`);
    await a;
    const ep = ['-e', manager.endpoints.frontend];
    for (let i = 0; i < 8; i++) { await sleep(10_000);
    const list = await show([...ep, 'requests', 'list', '--service', 'x', '--format', 'ndjson']);
    await show([...ep, 'requests', 'show', /[0-9a-f]{32}/.exec(list.stdout)?.[0] ?? 'x', '--format', 'table']);
    const st = await runClient([...ep], {within: network.agent.enter}); void st;
    }
    for (const l of agent.program.lines) process.stdout.write(`${l.slice(0,300)}\n`);
  });
});
