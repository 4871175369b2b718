import { expect } from 'chai';
import { isServiceManagerError } from '../../src/wire/errors.ts';
import type { ActionName, ServiceName } from '../../src/wire/fields.ts';
import { cleanUp } from '../e2e/harness/processes.ts';
import { eventually } from '../fakes/eventually.ts';
import { freeBsd } from './service-hosts/freebsd.ts';
import { memory } from './service-hosts/memory.ts';
import { openrc } from './service-hosts/openrc.ts';
import { runit } from './service-hosts/runit.ts';
import type { ServiceHost } from './service-hosts/service-host.ts';
import { systemd } from './service-hosts/systemd.ts';
import { initD, service8 } from './service-hosts/sysvinit.ts';

const limits = { timeoutMs: 20_000 };

for (const kind of [service8, initD, systemd, openrc, runit, freeBsd, memory]) {
  describe(`Provider on ${kind.name}`, function () {
    this.timeout(30_000);
    let host: ServiceHost;
    const run = (action: string, service = 'good', timeoutMs = limits.timeoutMs) =>
      host.provider.run(service as ServiceName, action as ActionName, { timeoutMs });
    const stateOf = async (service = 'good') => (await run('status', service)).state;
    /** Its process: what is started in the background is there a moment later. */
    const started = async (action = 'start') => {
      const { exitCode } = await run(action);
      expect(exitCode).to.equal(0);
      await eventually(async () => (await host.pids()).length === 1, 'the service runs');
      return (await host.pids())[0];
    };
    const inspect = (service = 'good') => host.provider.inspect(service as ServiceName, limits);

    before(async () => {
      host = await kind.open();
    });
    after(cleanUp);
    beforeEach(() => run('stop'));

    it('says who it is', async () => {
      expect((await run('status')).provider).to.equal(kind.providerName);
    });

    it('tells that a service is stopped, runs, and is stopped again', async () => {
      expect(await stateOf()).to.equal('stopped');
      await started();
      expect(await stateOf()).to.equal('running');
      expect((await run('stop')).exitCode).to.equal(0);
      expect(await stateOf()).to.equal('stopped');
      expect(await host.pids()).to.deep.equal([]);
    });

    it('starts a service once, however often it is told to', async () => {
      const pid = await started();
      await run('start');
      expect(await host.pids()).to.deep.equal([pid]);
      expect(await stateOf()).to.equal('running');
    });

    it('leaves a stopped service stopped when it is told to stop it', async () => {
      await run('stop');
      expect(await stateOf()).to.equal('stopped');
    });

    it('has a service run as another process after a restart, and runs one that did not', async () => {
      const first = await started();
      const second = await started('restart');
      expect(second).to.not.equal(first);
      await run('stop');
      expect(await started('restart')).to.not.equal(second);
    });

    it('shows what an action prints to who watches it, and not what it finds out by itself', async () => {
      let seen = '';
      const onOutput = (text: string, source: string) => {
        if (source !== 'note') seen += text;
      };
      const watched = { ...limits, onOutput };
      const { stdout, stderr } = await host.provider.run(
        'good' as ServiceName,
        'status' as ActionName,
        watched,
      );
      expect(seen.trim()).to.not.equal('');
      expect(seen.trim()).to.equal((stdout.text + stderr.text).trim());
      seen = '';
      const { services } = await host.provider.run('good' as ServiceName, 'list' as ActionName, watched);
      expect(services?.map(({ service }) => service)).to.include('good');
      expect(seen).to.equal('');
    });

    it('hands over the exit code and both outputs as the host gave them', async () => {
      for (const action of ['start', 'status']) {
        await run(action);
        const said = await host.says('good', action);
        const { exitCode, stdout, stderr } = await run(action);
        expect({
          code: exitCode,
          stdout: timeless(stdout.text),
          stderr: timeless(stderr.text),
        }).to.deep.equal({
          code: said.code,
          stdout: timeless(said.stdout),
          stderr: timeless(said.stderr),
        });
      }
    });

    it('hands over how a start failed, and the service does not run', async () => {
      const { exitCode, stdout, stderr, state } = await run('start', 'failing');
      expect({ code: exitCode, stdout: homeless(stdout.text), stderr: stderr.text }).to.deep.equal(
        kind.failure,
      );
      expect(state).to.equal('unknown');
      expect(await stateOf('failing')).to.be.oneOf(['failed', 'stopped']);
      await run('stop', 'failing');
    });

    it('tells that the host does not know a service, whatever it is asked', async () => {
      for (const action of ['status', 'start', 'stop', 'restart']) {
        const result = await run(action, 'nosuch');
        expect(result, action).to.include({ state: 'not-found' });
        expect(result.exitCode, action).to.not.equal(0);
      }
      expect(await inspect('nosuch')).to.deep.equal({ state: 'not-found', mainPid: undefined });
    });

    it('does nothing to a service when it is told what the host does not know', async () => {
      const pid = await started();
      for (const action of ['dance', 'unfold', 'kindle']) {
        const result = await run(action).catch((error: unknown) => error);
        if (isServiceManagerError(result)) expect(result.code).to.equal('ACTION_NOT_ALLOWED');
        else expect(result, action).to.have.property('exitCode').that.is.not.equal(0);
      }
      expect(await host.pids()).to.deep.equal([pid]);
      expect(await stateOf()).to.equal('running');
    });

    it(`takes a service that has died for ${kind.afterDeath}`, async () => {
      const pid = await started();
      await host.kill();
      await eventually(async () => (await host.pids()).length === 0, 'the service has died');
      await eventually(async () => (await stateOf()) !== 'running', 'the host has seen it');
      expect(await stateOf()).to.equal(kind.afterDeath);
      expect(await inspect()).to.deep.equal({ state: kind.afterDeath, mainPid: undefined });
      expect(await started('restart')).to.not.equal(pid);
    });

    it('says the same when it looks as when it is asked for the status', async () => {
      expect(await inspect()).to.deep.equal({ state: 'stopped', mainPid: undefined });
      const pid = await started();
      expect(await inspect()).to.deep.equal({
        state: 'running',
        mainPid: kind.tellsMainPid ? pid : undefined,
      });
    });

    it('ends an action at its time limit', async () => {
      const startedMs = performance.now();
      const result = await run('start', 'hanging', 500);
      expect(performance.now() - startedMs).to.be.within(490, 10_000);
      expect(result).to.include({ timedOut: true, state: 'unknown', aborted: false });
      await run('stop', 'hanging', 3_000);
    });

    it('lists the services of the host with their states, in the order people count in', async () => {
      await started();
      await run('start', 'failing');
      const { services = [], exitCode, stdout } = await run('list');
      expect(exitCode).to.equal(0);
      expect(stdout.text).to.include('good');
      const states = new Map(services.map(({ service, state }) => [service, state]));
      expect(states.get('good')).to.equal('running');
      expect(states.get('failing')).to.equal(kind.marksFailed ? await stateOf('failing') : 'stopped');
      await run('stop', 'failing');
      const names = services.map(({ service }) => service);
      expect(names).to.deep.equal([...new Set(names)].sort());
      await run('stop');
      expect((await run('list')).services).to.deep.include({ service: 'good', state: 'stopped' });
    });

    it('disables and enables a service for the next boot, and does not touch it now', async () => {
      expect((await run('enable')).exitCode).to.equal(0);
      expect(await host.isEnabled()).to.equal(true);
      expect((await run('disable')).exitCode).to.equal(0);
      expect(await host.isEnabled()).to.equal(false);
      expect((await run('enable')).exitCode).to.equal(0);
      expect(await host.isEnabled()).to.equal(true);
      expect(await host.pids()).to.deep.equal([]);
    });

    if (kind.foreignBytes !== undefined) {
      it('hands over what is not UTF-8 with a sign in its place', async () => {
        expect((await run('status', kind.foreignBytes)).stdout.text).to.equal('caf\ufffd end\n');
      });
    }
  });
}

/** Without what changes from one moment to the next. */
function timeless(text: string): string {
  return text.replace(/since .*/g, 'since').replace(/\d+(m?s)\b/g, '0$1');
}

/** Without the temporary folder, and in whichever second it was. */
function homeless(text: string): string {
  return text.replace(/\/tmp\/[^/ ]+/g, 'FOLDER').replace(/: \d+s,/g, ': 1s,');
}
