import { expect } from 'chai';
import type { AgentHome } from '../../../../src/cli/daemon-home.ts';
import { fingerprintOfKeys } from '../../../../src/cli/formats/own-keys.ts';
import type { ProviderResult } from '../../../../src/provider/provider.ts';
import { newSecretKeys } from '../../../../src/security/key-file.ts';
import { printCurvePublic } from '../../../../src/security/keys.ts';
import { agentHost } from '../../../fakes/command-host.ts';
import { JoinableManager } from '../../../fakes/joinable-manager.ts';

async function met(restart?: AgentHome['restart']) {
  const host = agentHost(restart);
  const manager = await new JoinableManager(host.sockets, host.clock).start();
  const { folder } = host.home;
  const fingerprint = () => {
    const keys = folder.load();
    return keys === undefined ? 'none' : fingerprintOfKeys(keys);
  };
  return { host, manager, folder, fingerprint };
}

function said(exitCode: number): ProviderResult {
  const stdout = { text: 'no such\n', cutBytes: 0 };
  const stderr = { text: 'unit\n', cutBytes: 0 };
  const exit = { exitCode, timedOut: false, aborted: false, stdout, stderr, durationMs: 1 };
  return { ...exit, provider: 'service(8)', state: 'unknown' };
}

const keyFile = '/var/lib/service-mgr/agent/agent.key';

describe('service-mgr-agentd join', () => {
  it('has the agent let in with a token, and says what to do then', async () => {
    const { host, manager, folder, fingerprint } = await met();
    expect(await host.end(`join ${manager.token('agent')} --manager tcp://mgr1`)).to.deep.equal({
      ...{ code: 0, out: '' },
      error: [
        `made the keys of agent web1: ${keyFile}`,
        `joined manager mgr1 as agent web1, ${fingerprint()}`,
        'now start the agent, or start it again if it runs',
        '',
      ].join('\n'),
    });
    expect(manager.known).to.deep.equal(['agent web1 accepted']);
    expect(folder.managers().map(({ endpoints }) => endpoints.backend)).to.deep.equal(['tcp://mgr1:5600']);
  });

  it('takes the token from standard input, too', async () => {
    const { host, manager } = await met();
    host.terminal.input = `${manager.token('agent')}\n`;
    expect((await host.end('join - --manager tcp://mgr1')).code).to.equal(0);
    expect(manager.known).to.deep.equal(['agent web1 accepted']);
  });

  it('starts the agent when it is told to', async () => {
    let starts = 0;
    const { host, manager } = await met(async () => {
      starts += 1;
      return said(0);
    });
    const line = `join ${manager.token('agent')} --manager tcp://mgr1`;
    await host.end(line);
    expect(starts).to.equal(0);
    const { code, out, error } = await host.end(`${line} --start`);
    expect([code, out, starts]).to.deep.equal([0, '', 1]);
    expect(error)
      .to.match(/\nstarted the agent, by service\(8\)\n$/)
      .and.not.include('now start');
  });

  it('starts no agent that nobody has let in yet', async () => {
    let starts = 0;
    const { host, manager } = await met(async () => {
      starts += 1;
      return said(0);
    });
    const key = printCurvePublic(manager.own.publicKey);
    const { code } = await host.end(`join --manager tcp://mgr1 --manager-key ${key} --start`);
    expect([code, starts]).to.deep.equal([75, 0]);
  });

  const failures: ReadonlyArray<
    readonly [why: string, restart: AgentHome['restart'] | undefined, text: string]
  > = [
    ['says no', async () => said(5), 'service(8) did not start the agent (5): no such\nunit'],
    [
      'takes too long',
      async () => ({ ...said(-15), timedOut: true }),
      'service(8) has not started the agent in time: no such\nunit',
    ],
    ['cannot be asked', undefined, 'cannot run service: there is none'],
  ];
  for (const [why, restart, text] of failures) {
    it(`ends with 71 when the service manager of the host ${why}, and has joined all the same`, async () => {
      const { host, manager, folder } = await met(restart);
      const { code, error } = await host.end(`join ${manager.token('agent')} --manager tcp://mgr1 --start`);
      expect(code).to.equal(71);
      expect(error).to.include(`service-mgr-agentd: ${text}\n`);
      expect(folder.managers()).to.have.lengthOf(1);
    });
  }

  it('ends with 75 while somebody has to decide, and with 0 when somebody has', async () => {
    const { host, manager, fingerprint } = await met();
    const line = `join --manager tcp://mgr1 --manager-key ${printCurvePublic(manager.own.publicKey)}`;
    const { code, error } = await host.end(line);
    expect(code).to.equal(75);
    expect(error).to.include(`type there: service-mgrd keys accept ${fingerprint()}\n`);
    manager.ring.accept(fingerprint(), host.clock.wallMs());
    expect((await host.end(line)).code).to.equal(0);
  });

  it('takes the key of the manager in Z85, too, and waits if it is to', async () => {
    const { host, manager } = await met();
    const startedMs = host.clock.now();
    const { code } = await host.end(
      `join --manager tcp://mgr1 --manager-key ${manager.own.publicKey} --wait 10s`,
    );
    expect([code, manager.requests.length]).to.deep.equal([75, 6]);
    expect(host.clock.now() - startedMs).to.be.within(10_000, 10_500);
  });

  it('is what this node is called, whatever the token says', async () => {
    const { host, manager } = await met();
    const { code, error } = await host.end(`join ${manager.token('agent', 'web2')} --manager tcp://mgr1`);
    expect([code, error]).to.deep.equal([
      64,
      'service-mgr-agentd: the join token is for web2, but this node is called web1\n',
    ]);
    host.home.folder.create(newSecretKeys('agent', 'old', 0));
    const { code: again, error: why } = await host.end(`join ${manager.token('agent')} --manager tcp://mgr1`);
    expect([again, why]).to.deep.equal([
      64,
      `service-mgr-agentd: this node is called web1, but ${keyFile} has the keys of old\n`,
    ]);
    expect(manager.requests).to.deep.equal([]);
  });

  it('refuses the token of a person', async () => {
    const { host, manager } = await met();
    const { code, error } = await host.end(`join ${manager.token('operator')} --manager tcp://mgr1`);
    expect(code).to.equal(64);
    expect(error).to.include('it is to be used with "service-mgr-client join"');
  });

  it('ends with 77 when the manager refuses, and with 69 when there is none', async () => {
    const { host, manager } = await met();
    const token = manager.token('agent');
    manager.ring.removeToken('0000000000000001');
    expect((await host.end(`join ${token} --manager tcp://mgr1`)).code).to.equal(77);
    expect((await host.end(`join ${token} --manager tcp://mgr9`)).code).to.equal(69);
  });

  it('refuses a second machine of the same name', async () => {
    const { host, manager } = await met();
    await host.end(`join ${manager.token('agent')} --manager tcp://mgr1`);
    const clone = agentHost();
    const there = await new JoinableManager(clone.sockets, clone.clock, 'mgr1', manager.own).start();
    there.ring.restore(manager.ring.keys(), []);
    const { code, error } = await clone.end(`join ${there.token('agent')} --manager tcp://mgr1`);
    expect(code).to.equal(77);
    expect(error).to.include('is this a cloned machine? (NAME_TAKEN)');
  });

  const mistakes: ReadonlyArray<readonly [argv: string, complaint: string]> = [
    ['join x', "required option '--manager <endpoint>' not specified"],
    ['join --manager mgr1', "argument 'mgr1' is invalid. Expected tcp://HOST or tcp://HOST:PORT"],
    ['join --manager tcp://mgr1 --manager-key abc', "argument 'abc' is invalid. Expected the public key of"],
    ['join --manager tcp://mgr1', 'expected a join token (service-mgrd token create), or --manager-key'],
    ['join x --manager tcp://mgr1', 'the join token is none'],
    ['join x y --manager tcp://mgr1', 'too many arguments'],
  ];
  for (const [argv, complaint] of mistakes) {
    it(`refuses "${argv}"`, async () => {
      const { host } = await met();
      const { code, out, error } = await host.end(argv);
      expect([code, out]).to.deep.equal([64, '']);
      expect(error).to.include(complaint);
      expect(host.keyFiles.files.size).to.equal(0);
    });
  }
});
