import { expect } from 'chai';
import { printReport } from '../../../../src/cli/print.ts';
import { startAnswer, troubleAnswer } from '../../../fakes/answers.ts';
import { reportOf } from '../../../fakes/reports.ts';

const web1 = startAnswer('web1', {
  services: [
    { service: 'cron', state: 'running' },
    { service: 'nginx-worker', state: 'failed' },
  ],
});
const db1 = startAnswer('db1', { services: [{ service: 'cron\u0007', state: 'stopped' }] });

describe('a table of the services of hosts', () => {
  it('has a line for each service of each node, in order', () => {
    const text = printReport('table', reportOf({ answers: [web1, db1] }), { isColor: false });
    expect(text).to.equal(
      [
        'NODE  SERVICE       STATE',
        'db1   cron\\x07      stopped',
        'web1  cron          running',
        'web1  nginx-worker  failed',
        '',
      ].join('\n'),
    );
  });

  it('is followed by those who did not give one', () => {
    const answers = [web1, startAnswer('web2', { services: [] }), troubleAnswer('web3', 'TOO_BUSY', 'busy')];
    const lines = printReport('table', reportOf({ answers }), { isColor: false }).split('\n');
    expect(lines[3]).to.match(/^NODE {2}OUTCOME/);
    expect(lines.slice(4, 6).map((line) => line.split(' ')[0])).to.deep.equal(['web2', 'web3']);
  });

  it('colours what runs and what failed', () => {
    const text = printReport('table', reportOf({ answers: [web1] }), { isColor: true });
    expect(text)
      .to.match(/\[32mrunning/)
      .and.match(/\[31mfailed/);
  });
});
