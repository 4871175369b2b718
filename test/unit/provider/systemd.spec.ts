import { expect } from 'chai';
import { maxListed } from '../../../src/provider/list.ts';
import { Systemd } from '../../../src/provider/systemd.ts';
import type { ActionName, ServiceName } from '../../../src/wire/fields.ts';
import { type ScriptedAnswer, ScriptedProcesses } from '../../fakes/scripted-processes.ts';

const properties = [
  ...['LoadState', 'ActiveState', 'SubState', 'MainPID'],
  ...['Type', 'RemainAfterExit', 'Result', 'ConditionResult', 'ConditionTimestampMonotonic'],
];
const show = (unit: string) =>
  `systemctl show ${properties.map((each) => `--property=${each}`).join(' ')} ${unit}`;
const units = 'systemctl --no-pager --full --plain --no-legend --type=service --all list-units';
const files = 'systemctl --no-pager --full --plain --no-legend --type=service list-unit-files';
const shown = (load: string, active: string, sub: string, pid = 0) =>
  `MainPID=${pid}\nLoadState=${load}\nActiveState=${active}\nSubState=${sub}\n`;

function opened(script: Readonly<Record<string, ScriptedAnswer>>, outputLimitBytes = 65_536) {
  const processes = new ScriptedProcesses(script);
  const provider = new Systemd({ processes, program: 'systemctl', outputLimitBytes });
  const run = (action: string, service = 'nginx') =>
    provider.run(service as ServiceName, action as ActionName, { timeoutMs: 1_000 });
  const inspect = () => provider.inspect('nginx' as ServiceName, { timeoutMs: 1_000 });
  return { processes, run, inspect };
}

describe('systemd', () => {
  it('is asked once for an action that went well', async () => {
    const { processes, run } = opened({
      'systemctl --no-pager --full restart nginx.service': { stdout: 'x' },
    });
    expect(await run('restart')).to.deep.include({ provider: 'systemd', state: 'unknown', exitCode: 0 });
    expect(processes.runs).to.have.lengthOf(1);
  });

  it('is asked for services only: no name can mean a target, which could end the host', async () => {
    const { processes, run } = opened({
      'systemctl --no-pager --full start poweroff.target.service': {},
      'systemctl --no-pager --full start nginx.service': {},
    });
    await run('start', 'poweroff.target');
    await run('start', 'nginx.service');
    expect(processes.runs).to.have.lengthOf(2);
  });

  it('gives the outputs of the status, and the state of the properties', async () => {
    const { run } = opened({
      'systemctl --no-pager --full status nginx.service': { exitCode: 3, stdout: 'as it stands' },
      [show('nginx.service')]: { stdout: shown('loaded', 'failed', 'failed') },
    });
    const result = await run('status');
    expect(result).to.include({ exitCode: 3, state: 'failed' });
    expect(result.stdout.text).to.equal('as it stands');
  });

  it('does not take a unit that another one lacks for the service itself', async () => {
    const { run } = opened({
      'systemctl --no-pager --full start nginx.service': {
        exitCode: 5,
        stderr: 'Failed to start nginx.service: Unit other.service not found.\n',
      },
      [show('nginx.service')]: { stdout: shown('loaded', 'inactive', 'dead') },
    });
    expect((await run('start')).state).to.equal('unknown');
  });

  it('that cannot be asked knows no state', async () => {
    const { run, inspect } = opened({
      'systemctl --no-pager --full status nginx.service': {
        exitCode: 1,
        stderr: 'Failed to connect to bus\n',
      },
      [show('nginx.service')]: { exitCode: 1, stderr: 'Failed to connect to bus\n' },
    });
    expect((await run('status')).state).to.equal('unknown');
    expect(await inspect()).to.deep.equal({ state: 'unknown', mainPid: undefined });
  });

  it('that does not answer in time knows no state', async () => {
    const { processes, run, inspect } = opened({
      'systemctl --no-pager --full status nginx.service': { exitCode: -15, timedOut: true },
      [show('nginx.service')]: { timedOut: true, stdout: shown('loaded', 'active', 'running') },
    });
    expect(await run('status')).to.include({ state: 'unknown', timedOut: true });
    expect(processes.runs).to.have.lengthOf(1);
    expect((await inspect()).state).to.equal('unknown');
  });

  it('tells the main process', async () => {
    const { inspect } = opened({
      [show('nginx.service')]: { stdout: shown('loaded', 'active', 'running', 77) },
    });
    expect(await inspect()).to.deep.equal({ state: 'running', mainPid: 77 });
  });

  describe('of a unit that does its work and ends', () => {
    const inspected = async (changes: Readonly<Record<string, string | number>>) => {
      const all = {
        ...{ LoadState: 'loaded', ActiveState: 'inactive', SubState: 'dead', MainPID: 0, Type: 'oneshot' },
        ...{ RemainAfterExit: 'no', Result: 'success' },
        ...{ ConditionResult: 'yes', ConditionTimestampMonotonic: 7 },
        ...changes,
      };
      const stdout = Object.entries(all).map(([property, value]) => `${property}=${value}\n`);
      return opened({ [show('nginx.service')]: { stdout: stdout.join('') } }).inspect();
    };
    const done = { state: 'stopped', mainPid: undefined, hasDoneItsWork: true };
    const stopped = { state: 'stopped', mainPid: undefined };

    it('tells that it has done it, also when systemd has forgotten all about it', async () => {
      expect(await inspected({})).to.deep.equal(done);
      const forgotten = { ConditionResult: 'no', ConditionTimestampMonotonic: 0 };
      expect(await inspected(forgotten)).to.deep.equal(done);
    });

    it('does not say so where it failed, was not let begin, is still at it, or is to stay', async () => {
      expect(await inspected({ Result: 'exit-code' })).to.deep.equal(stopped);
      expect(await inspected({ ConditionResult: 'no' })).to.deep.equal(stopped);
      expect(await inspected({ Type: 'simple' })).to.deep.equal(stopped);
      const atIt = { ActiveState: 'activating', SubState: 'start', MainPID: 9 };
      expect(await inspected(atIt)).to.deep.equal({ state: 'unknown', mainPid: 9 });
      expect(await inspected({ RemainAfterExit: 'yes' })).to.deep.equal(stopped);
      const stays = { RemainAfterExit: 'yes', ActiveState: 'active', SubState: 'exited' };
      expect(await inspected(stays)).to.deep.equal({ state: 'running', mainPid: undefined });
    });
  });

  it('lists what is loaded and what could be, but no template, alias or absent unit', async () => {
    const { run } = opened({
      [units]: {
        stdout: [
          'web10.service loaded active running Web server 10',
          'web2.service loaded activating auto-restart Web server 2',
          'gone.service not-found inactive dead gone.service',
          'getty@tty1.service loaded active running Getty on tty1',
          '',
        ].join('\n'),
      },
      [files]: {
        stdout:
          'getty@.service enabled enabled\nweb2.service enabled enabled\nidle.service disabled enabled\nsyslog.service alias -\n',
      },
    });
    const { services, exitCode, stdout } = await run('list');
    expect(exitCode).to.equal(0);
    expect(stdout.text).to.match(/^web10/);
    expect(services).to.deep.equal([
      { service: 'getty@tty1', state: 'running' },
      { service: 'idle', state: 'stopped' },
      { service: 'web2', state: 'failed' },
      { service: 'web10', state: 'running' },
    ]);
  });

  it('lists no unit whose line was cut, and no more than an answer has room for', async () => {
    const cut = { text: 'web1.service loaded active running\nweb2.service loaded active', cutBytes: 9 };
    expect((await opened({ [units]: { stdout: cut }, [files]: {} }).run('list')).services).to.deep.equal([
      { service: 'web1', state: 'running' },
    ]);
    const many = Array.from({ length: maxListed + 1 }, (_, at) => `web${at}.service loaded active running\n`);
    const { services } = await opened({ [units]: { stdout: many.join('') }, [files]: {} }).run('list');
    expect(services).to.have.lengthOf(maxListed);
  });

  it('does not take half a list for a whole one', async () => {
    const stdout = 'web1.service loaded active running\n';
    const ended = { exitCode: -15, timedOut: true };
    expect(await opened({ [units]: { stdout }, [files]: ended }).run('list')).to.deep.include({
      ...ended,
      stdout: { text: stdout, cutBytes: 0 },
      services: [{ service: 'web1', state: 'running' }],
    });
  });

  it('reads more of a list than it hands on', async () => {
    const lines = Array.from({ length: 100 }, (_, at) => `web${at}.service loaded active running é\n`);
    const { run } = opened({ [units]: { stdout: lines.join('') }, [files]: {} }, 1_024);
    const { services, stdout } = await run('list');
    expect(services).to.have.lengthOf(100);
    expect(Buffer.byteLength(stdout.text)).to.be.within(1_020, 1_024);
    expect(Buffer.byteLength(stdout.text) + stdout.cutBytes).to.equal(Buffer.byteLength(lines.join('')));
  });
});
