import { expect } from 'chai';
import { type CurveKeys, newCurveKeys } from '../../../src/security/keys.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import { managerHost } from '../../fakes/command-host.ts';
import { RunningManagement } from '../../fakes/management-door.ts';
import { ScriptedDaemon } from '../../fakes/scripted-daemon.ts';

async function started(...options: string[]) {
  const host = new ScriptedDaemon();
  const exitCode = host.run(...options, 'start');
  await host.settle();
  return { host, exitCode };
}

describe('a daemon in the foreground', () => {
  it('serves until a signal, and closes', async () => {
    const { host, exitCode } = await started('-f', 'x.conf');
    expect(host.story).to.deep.equal(['start x.conf one']);
    host.signal('SIGTERM');
    expect(await exitCode).to.equal(0);
    expect(host.story).to.deep.equal(['start x.conf one', 'close']);
    expect(host.log.named('daemon.stopping')[0]?.fields).to.deep.equal({ reason: 'SIGTERM' });
    expect(host.clock.pending).to.deep.equal([]);
  });

  it('tells the service manager when it is ready, how it gets on, and that it stops', async () => {
    const { host, exitCode } = await started();
    host.clock.advance(15_000);
    host.finish();
    expect(await exitCode).to.equal(0);
    expect(host.notify.said).to.deep.equal([
      ...['READY=1', 'STATUS=fine', 'WATCHDOG=1', 'STATUS=fine'],
      ...['WATCHDOG=1', 'STATUS=fine', 'STOPPING=1'],
    ]);
  });

  it('has a pid file only where one is asked for, and only while it lives', async () => {
    const { host, exitCode } = await started('-p', '/run/x.pid');
    expect([...host.pidFiles.taken]).to.deep.equal(['/run/x.pid']);
    host.signal('SIGTERM');
    await exitCode;
    expect([...host.pidFiles.taken]).to.deep.equal([]);
    const { host: other } = await started();
    expect([...other.pidFiles.taken]).to.deep.equal([]);
  });

  it('refuses a second instance before that one touches anything', async () => {
    const host = new ScriptedDaemon();
    await host.pidFiles.take('/run/x.pid');
    expect(await host.run('-p', '/run/x.pid', 'start')).to.equal(75);
    expect(host.terminal.error).to.equal('service-mgrd: already running with pid 1 (/run/x.pid)\n');
    expect(host.story).to.deep.equal([]);
  });

  it('gives its pid file back when it cannot start, and says why', async () => {
    const host = new ScriptedDaemon();
    host.text = 'taken';
    expect(await host.run('-p', '/run/x.pid', 'start')).to.equal(71);
    expect(host.terminal.error).to.equal('service-mgrd: cannot bind\n');
    expect(host.log.named('daemon.not_started')).to.have.length(1);
    expect([...host.pidFiles.taken]).to.deep.equal([]);
  });

  it('tells whoever launched it why it does not start, and nobody else', async () => {
    const host = new ScriptedDaemon();
    host.starter = 'listens';
    host.text = 'bad';
    expect(await host.run('start')).to.equal(78);
    expect(host.told).to.deep.equal(['x.conf: bad']);
    expect(host.terminal.error).to.equal('');
  });

  it('does not stay when who launched it is gone: nobody knows that it is there', async () => {
    const host = new ScriptedDaemon();
    host.starter = 'gone';
    expect(await host.run('-p', '/run/x.pid', 'start')).to.equal(0);
    expect(host.story).to.deep.equal(['start /etc/service-mgr/service-mgrd.conf one', 'close']);
    expect(host.notify.said).to.deep.equal([]);
    expect([...host.pidFiles.taken]).to.deep.equal([]);
  });

  it('closes all when it cannot go on', async () => {
    const { host, exitCode } = await started('-p', '/run/x.pid');
    host.crash(new TypeError('a bug of ours'));
    const error: unknown = await exitCode.catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(TypeError);
    expect(host.story.at(-1)).to.equal('close');
    expect([...host.pidFiles.taken]).to.deep.equal([]);
  });
});

describe('a hangup', () => {
  it('has the log reopened and the configuration taken over, and systemd told', async () => {
    const { host, exitCode } = await started('-f', 'x.conf');
    host.text = 'two';
    host.waitingKeys = ['sink_endpoint'];
    host.hangUp();
    await host.settle();
    expect(host.log.handling).to.deep.equal(['reopen']);
    expect(host.story).to.deep.equal(['start x.conf one', 'reload x.conf two']);
    expect(host.log.named('config.needs_restart')[0]?.fields).to.deep.equal({ keys: ['sink_endpoint'] });
    expect(host.notify.said.slice(4)).to.deep.equal(['RELOADING=1', 'READY=1', 'STATUS=fine']);
    host.signal('SIGTERM');
    await exitCode;
  });

  it('changes nothing when the file is bad, or cannot be read, and says so', async () => {
    const { host } = await started();
    for (const text of ['bad', undefined]) {
      host.text = text;
      host.hangUp();
      await host.settle();
    }
    expect(host.story).to.have.length(1);
    expect(host.log.named('config.refused')).to.have.length(2);
    expect(host.log.named('config.reloaded')).to.have.length(0);
    expect(host.notify.said.slice(-3)).to.deep.equal(['RELOADING=1', 'READY=1', 'STATUS=fine']);
    host.text = 'good again';
    host.hangUp();
    await host.settle();
    expect(host.log.named('config.reloaded')).to.have.length(1);
    expect(host.log.named('config.needs_restart')).to.have.length(0);
  });

  it('rereads the configuration also when the log cannot be reopened', async () => {
    const { host } = await started();
    host.log.reopenFails = new ServiceManagerError('BAD_CONFIG', 'the log file cannot be written');
    host.hangUp();
    await host.settle();
    expect(host.log.named('log.not_reopened')).to.have.length(1);
    expect(host.log.named('config.reloaded')).to.have.length(1);
  });

  it('is carried out after the one before it', async () => {
    const { host } = await started();
    let isFirstDone = false;
    host.onReload = async () => {
      if (isFirstDone) return;
      await host.clock.advanceAsync(1_000);
      host.story.push('first done');
      isFirstDone = true;
    };
    host.hangUp();
    host.hangUp();
    await host.settle();
    await host.settle();
    expect(host.story.filter((line) => line !== 'first done').slice(1)).to.have.length(2);
    expect(host.story[1]).to.equal('first done');
  });

  it('ends the daemon when it comes upon a bug of ours', async () => {
    const { host, exitCode } = await started();
    host.onReload = () => {
      throw new TypeError('a bug of ours');
    };
    host.hangUp();
    expect(await exitCode.catch((thrown: unknown) => thrown)).to.be.instanceOf(TypeError);
  });

  it('does nothing before the daemon has started and while it stops', async () => {
    const host = new ScriptedDaemon();
    const exitCode = host.run('start');
    host.hangUp();
    await host.settle();
    host.signal('SIGTERM');
    await exitCode;
    host.hangUp();
    await host.settle();
    expect(host.story.filter((line) => line.startsWith('reload'))).to.deep.equal([]);
  });
});

describe('a daemon in the background', () => {
  it('is the same program in the foreground, with all its files named in full', async () => {
    const host = new ScriptedDaemon();
    expect(await host.run('-d', '-D', '-f', 'x.conf', '-o', 'x.log', '-p', '/run/x.pid', 'start')).to.equal(
      0,
    );
    expect(host.launches).to.deep.equal([
      [...['-f', '/here/x.conf', '-o', '/here/x.log', '-p', '/run/x.pid', '-D', 'start'], '/here/x.log'],
    ]);
    expect(host.story).to.deep.equal([]);
  });

  it('has a log and a pid file in any case', async () => {
    const host = new ScriptedDaemon();
    await host.run('-d', 'start');
    expect(host.launches[0]?.slice(0, 7)).to.deep.equal([
      ...['-f', '/etc/service-mgr/service-mgrd.conf', '-o', '/var/log/service-mgr/service-mgrd.log'],
      ...['-p', '/var/run/service-mgr/service-mgrd.pid', 'start'],
    ]);
  });

  it('that does not start is told of, with its exit code', async () => {
    const host = new ScriptedDaemon();
    host.launch = { isReady: false, exitCode: 71, reason: 'cannot bind tcp://*:5500' };
    expect(await host.run('-d', 'start')).to.equal(71);
    expect(host.terminal.error).to.equal('service-mgrd: cannot bind tcp://*:5500\n');
  });
});

describe('a wrong command line of a daemon', () => {
  const mistakes: ReadonlyArray<readonly [argv: string, help: string]> = [
    ['-x start', 'service-mgrd'],
    ['strat', 'service-mgrd'],
    ['start --nonsense', 'service-mgrd start'],
    ['token crate', 'service-mgrd token'],
    ['token create --role king', 'service-mgrd token create'],
  ];
  for (const [argv, help] of mistakes) {
    it(`ends with where "${argv}" is explained`, async () => {
      const { code, error } = await managerHost().end(argv);
      expect(code).to.equal(64);
      expect(error).to.match(/^error: /);
      expect(error.endsWith(`\nTry "${help} --help".\n`), error).to.equal(true);
    });
  }
});

describe('a daemon that is managed', () => {
  const fine = () => ({ success: 0, msg: 'fine' }) as const;
  const handlers = { 'manager.status': fine, 'manager.shutdown': fine };
  const reply = `${JSON.stringify(fine(), null, 4)}\n`;

  async function managed(own?: CurveKeys) {
    const host = new ScriptedDaemon();
    host.home = { ...host.home, ownKeys: () => own };
    const door = await RunningManagement.start(host.sockets, host.clock, 'tcp://127.0.0.1:1', handlers, own);
    return { host, door };
  }

  for (const [kind, own] of [
    ['without keys', undefined],
    ['with keys', newCurveKeys()],
  ] as const) {
    it(`shows what it says of itself, ${kind}`, async () => {
      const { host, door } = await managed(own);
      expect(await host.run('status')).to.equal(0);
      expect(host.terminal).to.include({ out: reply, error: '' });
      expect(door.asked).to.deep.equal([{ cmd: 'manager.status' }]);
    });

    it(`stops, ${kind}`, async () => {
      const { host, door } = await managed(own);
      expect(await host.run('stop')).to.equal(0);
      expect(door.asked).to.deep.equal([{ cmd: 'manager.shutdown' }]);
    });
  }

  it('is looked for where its configuration says', async () => {
    const { host } = await managed();
    host.home = { ...host.home, managementEndpoint: 'ipc:///run/configured' };
    const other = await RunningManagement.start(host.sockets, host.clock, 'ipc:///run/configured', handlers);
    expect(await host.run('status')).to.equal(0);
    expect(other.asked).to.have.length(1);
  });

  it('is looked for where -e says', async () => {
    const { host } = await managed();
    const other = await RunningManagement.start(host.sockets, host.clock, 'ipc:///run/other', handlers);
    expect(await host.run('-e', 'ipc:///run/other', 'status')).to.equal(0);
    expect(other.asked).to.have.length(1);
  });

  it('is looked for nowhere where -e names no endpoint', async () => {
    for (const text of ['foo', 'localhost:5800', 'tcp://*:5800', 'tcp://localhost:99999']) {
      const host = new ScriptedDaemon();
      expect(await host.run('-e', text, 'status')).to.equal(64);
      expect(host.terminal.error).to.include(
        `option '-e, --endpoint <endpoint>' argument '${text}' is invalid. Expected tcp://HOST:PORT or ipc://PATH`,
      );
    }
  });

  it('is opened with its configuration', async () => {
    const { host } = await managed();
    await host.run('-f', 'x.conf', 'status');
    expect(host.opened).to.deep.equal([{ file: 'x.conf', text: 'one' }]);
  });

  it('can be stopped when its configuration is gone, whether it was named or not', async () => {
    for (const named of [[], ['-f', 'x.conf']]) {
      const { host } = await managed();
      host.isThere = false;
      expect(await host.run(...named, 'stop')).to.equal(0);
      expect(host.opened).to.deep.equal([undefined]);
    }
  });

  it('needs a good configuration where there is one', async () => {
    const { host } = await managed();
    host.text = 'bad';
    expect(await host.run('status')).to.equal(78);
    expect(host.terminal.error).to.equal('service-mgrd: x.conf: bad\n');
  });

  it('that does not answer ends the command with 69', async () => {
    const host = new ScriptedDaemon();
    const exitCode = host.run('status');
    await host.clock.advanceAsync(5_000);
    expect(await exitCode).to.equal(69);
    expect(host.terminal.error).to.equal('service-mgrd: tcp://localhost:1 did not answer within 5 s\n');
  });
});
