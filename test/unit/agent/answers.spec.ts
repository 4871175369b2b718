import { expect } from 'chai';
import { Answers } from '../../../src/agent/answers.ts';
import { maxListed } from '../../../src/provider/list.ts';
import type { ProviderResult } from '../../../src/provider/provider.ts';
import { message } from '../../../src/wire/codec.ts';
import { NodeName } from '../../../src/wire/fields.ts';
import { RequestBody } from '../../../src/wire/request.ts';
import { Answer, type Health } from '../../../src/wire/result.ts';

const id = '0123456789abcdef0123456789abcdef';
const body = RequestBody.parse({ id, cmd: 'status', topic: 'any', service: 'sshd' });
const host = {
  hostname: 'elsewhere',
  system: 'Linux',
  release: '6.1',
  version: '#1 SMP',
  machine: 'x86_64',
  osRelease: {},
};
const answers = new Answers(message('node', 300, NodeName).parse('web1'), host);

function done(changes: Partial<ProviderResult> = {}, health?: Health) {
  const run: ProviderResult = {
    exitCode: 0,
    timedOut: false,
    aborted: false,
    stdout: { text: 'sshd is running\n', cutBytes: 0 },
    stderr: { text: '', cutBytes: 0 },
    durationMs: 12.4,
    provider: 'service(8)',
    state: 'running',
    ...changes,
  };
  return answers.done(body, run, 1_500, health);
}

describe('the answer to an action that ran', () => {
  it('is that of 2014 with what is new behind', () => {
    expect(JSON.stringify(done())).to.equal(
      '{"msg":"Executed service status request","result":{"node":"web1","returncode":0,"service":"sshd",' +
        '"stdout":"sshd is running\\n","stderr":"","system":"Linux","version":"#1 SMP","state":"running",' +
        `"provider":"service(8)","durationMs":12},"uuid":"${id}"}`,
    );
  });

  it('has the exit code as the host gave it', () => {
    for (const exitCode of [3, 255, -15]) expect(done({ exitCode }).result.returncode).to.equal(exitCode);
  });

  it('says that the action ran into its time limit, and which that was', () => {
    const answer = done({ timedOut: true, exitCode: -15, state: 'unknown' });
    expect(answer.msg).to.equal('Executed service status request: ended after its time limit of 1.5 s');
    expect(answer.result).to.include({ timedOut: true, returncode: -15 });
  });

  it('says that the service is not what it should be, and why', () => {
    const verification = {
      reason: 'the service is stopped',
      after: 'stopped',
      changes: 2,
      settleMs: 2_000,
    } as const;
    const answer = done({ verification: { isVerified: false, ...verification } });
    expect(answer.msg).to.equal('Executed service status request, but the service is stopped');
    expect(answer.result.verification).to.deep.equal({ isVerified: false, ...verification });
  });

  it('says nothing more when the service is what it should be', () => {
    const verification = { isVerified: true, after: 'running', changes: 0, settleMs: 2_000 } as const;
    const answer = done({ verification });
    expect(answer.msg).to.equal('Executed service status request');
    expect(answer.result.verification).to.deep.equal(verification);
  });

  it('says what a health check met with', () => {
    const health = { check: 'tcp:80', isHealthy: false, attempts: 3, detail: 'connection refused' };
    const answer = done({}, health);
    expect(answer.msg).to.equal(
      'Executed service status request, but the health check tcp:80 failed: connection refused',
    );
    expect(answer.result.health).to.deep.equal(health);
    expect(done({}, { ...health, isHealthy: true }).msg).to.equal('Executed service status request');
  });

  it('shows the beginning of a long output, and how much of it was cut', () => {
    const { result } = done({ stdout: { text: 'aaa', cutBytes: 9 }, stderr: { text: 'bbb', cutBytes: 1 } });
    expect(result).to.include({
      stdout: 'aaa\n[service-mgr: 9 more bytes were cut]\n',
      stdoutCutBytes: 9,
      stderr: 'bbb\n[service-mgr: 1 more bytes were cut]\n',
      stderrCutBytes: 1,
    });
  });

  it('says nothing of a limit that was not reached', () => {
    expect(done().result).to.not.have.any.keys('timedOut', 'stdoutCutBytes', 'stderrCutBytes');
  });

  it('names the service that ran, where it has another name, and the members of a bundle', () => {
    const said = { stdout: 'up\n', stderr: '', durationMs: 3, ranAs: 'crond' };
    const member = {
      ...said,
      service: 'cron',
      action: 'start',
      outcome: 'ok',
      returncode: 0,
      state: 'running',
    } as const;
    const answer = done({ ranAs: body.service, members: [member] });
    expect(answer.result).to.deep.include({ ranAs: 'sshd', members: [member] });
    expect(Answer.decode(Answer.encode(answer))).to.deep.equal(answer);
    expect(done().result).to.not.have.any.keys('ranAs', 'members');
  });

  it('has the services of a list, and room for as many as a provider lists', () => {
    const services = Array.from({ length: maxListed }, (_, at) => {
      return { service: String(at).padStart(255, 'x'), state: 'not-found' as const };
    });
    const noisy = { text: '\u0001'.repeat(262_144), cutBytes: 0 };
    const answer = done({ services, stdout: noisy, stderr: noisy });
    expect(answer.result.services).to.deep.equal(services);
    expect(Answer.decode(Answer.encode(answer))).to.deep.equal(answer);
    expect(done().result).to.not.have.property('services');
  });

  it('is a good answer', () => {
    for (const answer of [done(), done({ timedOut: true, stdout: { text: 'a', cutBytes: 1 } })]) {
      expect(Answer.decode(Answer.encode(answer))).to.deep.equal(answer);
    }
  });
});

describe('the answer of an agent in trouble', () => {
  it('is that of 2014 with the name of the node and the code', () => {
    const answer = answers.trouble(body.id, 'TOO_BUSY', 'try again later');
    expect(JSON.stringify(answer)).to.equal(
      `{"success":-1,"msg":"try again later","node":"web1","uuid":"${id}","code":"TOO_BUSY"}`,
    );
    expect(Answer.parse(answer)).to.equal(answer);
  });
});
