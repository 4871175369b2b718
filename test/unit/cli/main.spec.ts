import { expect } from 'chai';
import { exitCodes } from '../../../src/cli/exit-codes.ts';
import type { NodeName } from '../../../src/wire/fields.ts';
import { failure } from '../../../src/wire/reply.ts';
import { version } from '../../../src/wire/version.ts';
import { statusAnswer } from '../../fakes/answers.ts';
import { type Running, runClient } from '../../fakes/client-program.ts';
import { nodeInfo, requestInfo, type Script } from '../../fakes/scripted-manager.ts';

const order = ['-T', 'any', '-c', 'status', '-s', 'nginx'];
const answered: Script = {
  accepted: { nodes: ['web1'], expected: 1 },
  answers: [statusAnswer('web1')],
  end: { outcomes: [{ node: 'web1' as NodeName, outcome: 'ok' }] },
};
const queries = { nodes: { nodes: [nodeInfo('web1')], unnamed: 0 }, requests: { requests: [requestInfo()] } };

describe('the command line of the client', () => {
  it('says its version', async () => {
    for (const flag of ['-v', '--version']) {
      const run = await runClient([flag]);
      expect(run).to.include({ code: 0, out: `${version}\n`, error: '' });
    }
  });

  const commands: ReadonlyArray<readonly [argv: string, ...told: string[]]> = [
    ['', '-T, --topic', '--async', 'nodes [options]', 'requests COMMAND', 'Examples:'],
    ['nodes', '--topic', '--watch', 'forget NAME', 'CONFLICT'],
    ['nodes forget', 'name'],
    [
      'requests',
      'list [options]',
      'show ID',
      'attach ID',
      'cancel ID',
      'retry ID --failed',
      'resume ID --failed|--remaining',
      '"last"',
    ],
    ['requests list', '--since', '--node', '--service', '--outcome', '--limit', '--format', '30m'],
    ['requests show', 'beginning of one, or', '--format'],
    ['requests attach', 'beginning of one, or', '--format'],
    ['requests cancel', 'beginning of one, or', '--format'],
    ['requests retry', 'beginning of one, or', '--failed', '--async', '-a, --action-timeout', '--dry-run'],
    ['requests resume', 'beginning of one, or', '--failed', '--remaining', '--async', '--batch', '--yes'],
    ['join', 'token', '--manager <endpoint>', '--manager-key', '--name', '--wait', 'keys accept'],
    ['keys', 'init [options]', 'show [options]', 'rotate [options]', 'client.key'],
    ['keys init', '--name', '--kind', 'operator', 'monitor'],
    ['keys show', '--public', 'operators.d'],
    ['keys rotate', '69', 'operators.d'],
  ];
  for (const [argv, ...told] of commands) {
    const words = argv.split(' ').filter((word) => word !== '');

    it(`explains itself: ${argv} --help`, async () => {
      const run = await runClient([...words, '--help']);
      expect(run).to.include({ code: 0, error: '' });
      const name = ['service-mgr-client', ...words].join(' ');
      expect(run.out.startsWith(`Usage: ${name} `), run.out).to.equal(true);
      const options = [
        '--endpoint',
        '--wait-time',
        '--timeout',
        '--retries',
        '--config',
        '--debug',
        '--help',
      ];
      for (const text of [...told, ...options]) expect(run.out).to.include(text);
      expect(run.out).not.to.include('help [command]');
      for (const line of run.out.split('\n')) expect(line.length, line).to.be.at.most(82);
    });

    it(`explains itself: help ${argv}`, async () => {
      const asked = await runClient([...words, '--help']);
      expect((await runClient(['help', ...words])).out).to.equal(asked.out);
    });
  }

  it('lists every exit code in its help', async () => {
    const { out } = await runClient(['--help']);
    for (const { code, meaning } of exitCodes)
      expect(out).to.match(new RegExp(`^ {2}${code} +${meaning.replace(/[()]/g, '\\$&')}$`, 'm'));
  });

  const mistakes: ReadonlyArray<readonly [argv: string, complaint: string | RegExp]> = [
    ['', '-T TARGET, -c CMD, -s SERVICE missing, expected -T TARGET -c CMD -s SERVICE or a command'],
    ['-T any -c status', '-s SERVICE missing'],
    ['nods', 'unknown command "nods", did you mean nodes?'],
    ['reqests list', 'unknown command "reqests", did you mean requests?'],
    ['frobnicate', 'unknown command "frobnicate", expected nodes, requests'],
    ['-T any -c status -s nginx now', 'unknown command "now"'],
    ['nodes forgt web1', 'unknown command "forgt", did you mean forget?'],
    ['requests lst', 'unknown command "lst", did you mean list?'],
    ['requests', 'requests: expected list, show, attach, cancel, retry'],
    ['keys', 'keys: expected init, show, rotate; see service-mgr-client keys --help'],
    ['keys rotat', 'unknown command "rotat", did you mean rotate?'],
    ['join x y', /too many arguments/],
    ['join --manager mgr1', /argument 'mgr1' is invalid. Expected tcp:\/\/HOST or tcp:\/\/HOST:PORT/],
    ['join --wait 0', /'--wait <time>' argument '0' is invalid. Expected a time from 1 to/],
    ['join', 'expected a join token (service-mgrd token create), or --manager-key'],
    ['-T any nodes', 'option -T, --topic <target> stands before nodes'],
    ['--async requests list', 'option --async stands before requests'],
    ['nodes --watch forget web1', 'option --watch stands before forget'],
    ['nodes forget', "missing required argument 'name'"],
    ['nodes forget web1 web2', /too many arguments/],
    ['nodes forget -x', "unknown option '-x'"],
    ['nodes forget we/b1', /'we\/b1' is invalid.* Expected a host name of/],
    ['nodes --format groups', /'--format <format>' argument 'groups' is invalid.* table, json, ndjson/],
    ['nodes --watch --format json', 'option --watch with --format json, expected table or ndjson'],
    ['nodes --topc any', '(Did you mean --topic?)'],
    ['nodes -T \u0001', /-T, --topic <topic>.* Expected a topic of 1 to 255 printable characters/],
    [
      'requests list --since yesterday',
      /--since <time>' argument 'yesterday' is invalid. Expected a time back/,
    ],
    [
      'requests list --limit 0',
      /--limit <count>' argument '0' is invalid. Expected a whole number from 1 to/,
    ],
    ['requests list --outcome nope', /--outcome <outcome>' argument 'nope' is invalid.* no-answer/],
    ['requests list --node a/b', /--node <name>' argument 'a\/b' is invalid. Expected a host name/],
    ['requests list --service a/b', /--service <name>' argument 'a\/b' is invalid. Expected a service name/],
    ['requests show', "missing required argument 'id'"],
    ['requests show xyz', /'xyz' is invalid for argument 'id'. Expected the id of a request/],
    ['requests show last --format ndjson', /argument 'ndjson' is invalid.* table, json, full, groups/],
    ['requests attach last --format xml', /argument 'xml' is invalid.* json, full, ndjson, table, groups/],
    ['requests retry last', "required option '--failed' not specified"],
    ['-w 0 nodes', /-w, --wait-time <seconds>' argument '0' is invalid. Expected a time from 0.1 to/],
    ['nodes -t 1s', /-t, --timeout <milliseconds>' argument '1s' is invalid. Expected a whole number/],
    ['requests -r -1 list', /-r, --retries <count>' argument '-1' is invalid. Expected a whole number/],
    ['-e localhost nodes', /-e, --endpoint <endpoints>' argument 'localhost' is invalid. Expected tcp:/],
    ['-T any -c status; -s nginx', /-c, --cmd <cmd>' argument 'status;' is invalid. Expected an action/],
    [
      '-T any -c status -s ../sh',
      /-s, --service <service>' argument '..\/sh' is invalid. Expected a service/,
    ],
    [
      '-T any -c status -s a -a 0',
      /-a, --action-timeout <seconds>' argument '0' is invalid. Expected a time/,
    ],
    ['--nodes f -T any -c status -s a', 'options -T and --nodes stand together'],
    [
      '-T any -c status -s a --dry-run --plan 0123456789abcdef',
      'options --dry-run and --plan stand together, expected one of them',
    ],
    ['-T \u0001 -c status -s a', /-T, --topic <target>.* Expected a target of 1 to 65536 printable/],
    ['-T any -c status -s a -x \u0001', /-x, --exclude <target>.* Expected a target of/],
    [
      '-T any -c status -s a --limit 0%',
      /--limit <count>' argument '0%' is invalid. Expected a number from 1 on/,
    ],
    ['-T any -c status -s a --limit 101%', /--limit <count>' argument '101%' is invalid/],
    ['-T any -c status -s a --seed 5', 'option --seed without --limit or --order random'],
    ['-T any -c status -s a --limit 5 --seed x', /--seed <number>' argument 'x' is invalid/],
    ['-T any -c status -s a --expect some', /--expect <count>' argument 'some' is invalid/],
    [
      '-T any -c status -s a --plan 5f1d',
      /--plan <token>' argument '5f1d' is invalid. Expected 16 lower-case/,
    ],
    [
      '-T any -c status -s a --dry-run --format full',
      'option --dry-run with --format full, expected json or',
    ],
    ['-T any -c status -s a --batch 0', /--batch <count>' argument '0' is invalid/],
    ['-T any -c status -s a --canary 0', /--canary <count>' argument '0' is invalid/],
    ['-T any -c status -s a --batch 1 --pause soon', /--pause <seconds>' argument 'soon' is invalid/],
    ['-T any -c status -s a --batch 1 --max-fail few', /--max-fail <count>' argument 'few' is invalid/],
    [
      '-T any -c status -s a --batch 1 --order up',
      /--order <order>' argument 'up' is invalid.* name, random, roster/,
    ],
    ['-T any -c status -s a --pause 3', 'option --pause without --batch or --canary'],
    ['-T any -c status -s a --max-fail 3', 'option --max-fail without --batch or --canary'],
    ['-T any -c status -s a --max-unreachable 3', 'option --max-unreachable without --batch or --canary'],
    ['-T any -c status -s a --order name', 'option --order without --batch or --canary'],
    [
      '-T any -c status -s a --health ping',
      /--health <check>' argument 'ping' is invalid. Expected tcp:PORT/,
    ],
    ['-T any -c status -s a --health tcp:0', /--health <check>' argument 'tcp:0' is invalid/],
    ['-T any -c status -s a --health http:65536/', /--health <check>' argument 'http:65536\/' is invalid/],
    ['-T any -c status -s a --settle long', /--settle <seconds>' argument 'long' is invalid/],
    ['requests resume last', 'requests resume: expected --failed, --remaining or both'],
    ['-T any -c status -s a --format xml', /'--format <format>' argument 'xml' is invalid/],
  ];
  for (const [argv, complaint] of mistakes) {
    it(`takes "${argv}" for wrong usage and says why`, async () => {
      const run = await runClient(argv.split(' ').filter((word) => word !== ''));
      expect(run).to.include({ code: 64, out: '' });
      if (typeof complaint === 'string') expect(run.error).to.include(complaint);
      else expect(run.error).to.match(complaint);
      expect(run.manager.queries.length + run.manager.requests.length).to.equal(0);
    });
  }

  describe('takes the options of all commands', () => {
    // Only at this endpoint there is a manager.
    const elsewhere = ['-e', 'tcp://127.0.0.1:5501,tcp://127.0.0.1:5500', '-t', '10', '-r', '1'];
    for (const argv of [
      [...elsewhere, ...order],
      [...order, ...elsewhere],
      [...elsewhere, 'nodes'],
      ['nodes', ...elsewhere],
      [...elsewhere, 'requests', 'list'],
      ['requests', ...elsewhere, 'list'],
      ['requests', 'list', ...elsewhere],
      [...elsewhere.slice(0, 2), 'requests', ...elsewhere.slice(2, 4), 'list', ...elsewhere.slice(4)],
    ]) {
      it(`wherever they stand: ${argv.join(' ')}`, async () => {
        const meanwhile = ({
          manager,
        }: {
          manager: { clock: { advanceAsync(ms: number): Promise<void> } };
        }) => manager.clock.advanceAsync(10);
        const run = await runClient(argv, { ...answered, queries }, { meanwhile });
        expect(run, run.error).to.include({ code: 0 });
      });
    }

    it('the one that stands last when it is given twice', async () => {
      const run = await runClient(['-e', 'tcp://127.0.0.1:1', 'nodes', '-e', 'tcp://127.0.0.1:5500'], {
        queries,
      });
      expect(run).to.include({ code: 0 });
    });

    it('-D: says on standard error what is going on', async () => {
      for (const argv of [
        ['-D', 'nodes'],
        ['nodes', '-D'],
        ['requests', '-D', 'list'],
      ]) {
        const run = await runClient(argv, { queries });
        expect(run.error).to.equal('service-mgr-client: managers tcp://localhost:5500; window 5 s\n');
      }
    });
  });

  describe('reads the configuration', () => {
    const standard = '/etc/service-mgr/service-mgr-client.conf';
    const elsewhere = '[Default]\nendpoint = tcp://127.0.0.1:1\nwait_time = 0.1\n';

    it('from its usual place, which may be missing', async () => {
      expect(await runClient(['nodes'], { queries })).to.include({ code: 0 });
      const meanwhile = ({ manager }: Running) => manager.clock.advanceAsync(250);
      const run = await runClient(['nodes'], { queries }, { files: { [standard]: elsewhere }, meanwhile });
      expect(run).to.include({ code: 69 });
      expect(run.error).to.include('tcp://127.0.0.1:1');
    });

    it('from the file that is named, before the verb or behind it', async () => {
      const files = { [standard]: elsewhere, '/a.conf': '[Default]\n' };
      for (const argv of [
        ['-f', '/a.conf', 'nodes'],
        ['nodes', '--config=/a.conf'],
      ])
        expect(await runClient(argv, { queries }, { files })).to.include({ code: 0 });
    });

    it('which may not be missing when it is named', async () => {
      const run = await runClient(['-f', '/missing.conf', 'nodes'], { queries });
      expect(run).to.include({ code: 78, error: 'service-mgr-client: cannot read /missing.conf\n' });
    });

    it('and says what is wrong with it', async () => {
      const files = { '/a.conf': '[Default]\nwait_time = soon\n' };
      const run = await runClient(['-f', '/a.conf', 'nodes'], {}, { files });
      expect(run).to.include({ code: 78, out: '' });
      expect(run.error).to.match(/^service-mgr-client: \/a\.conf:2: key wait_time: value "soon", expected/);
    });
  });

  describe('ends with the code of the trouble', () => {
    for (const [code, exit] of [
      ['TOPIC_AMBIGUOUS', 77],
      ['TOO_BUSY', 77],
      ['SHUTTING_DOWN', 77],
      ['STORE_UNUSABLE', 77],
      ['REFUSED', 77],
      ['BAD_TARGET', 64],
      ['EXPECTATION_FAILED', 65],
      ['PLAN_CHANGED', 65],
      ['UNKNOWN_NODE', 68],
      ['NO_NODE', 68],
      ['UNKNOWN_REQUEST', 68],
      ['INVALID_MESSAGE', 64],
    ] as const) {
      it(`${exit} when a manager says ${code}`, async () => {
        const run = await runClient(order, { reply: failure(code, 'it is so') });
        expect(run).to.include({ code: exit, out: '' });
        expect(run.error).to.equal(`service-mgr-client: tcp://localhost:5500 refused: it is so (${code})\n`);
      });
    }

    it('77 when a v1 manager refuses without a code', async () => {
      const run = await runClient(order, { reply: { success: -1, msg: 'no' } });
      expect(run).to.include({ code: 77 });
    });

    it('69 when what answers is no manager', async () => {
      const run = await runClient(order, { reply: { hello: 'world' } });
      expect(run).to.include({ code: 69, out: '' });
    });

    /** When the client has said something on standard error. */
    async function timed(argv: readonly string[]) {
      let endedAtMs = Number.POSITIVE_INFINITY;
      const meanwhile = async ({ manager, terminal }: Running) => {
        while (terminal.error === '') await manager.clock.advanceAsync(10);
        endedAtMs = manager.clock.now();
      };
      const run = await runClient(argv, {}, { meanwhile });
      expect(run).to.include({ code: 69, out: '' });
      return endedAtMs;
    }

    for (const argv of [
      order,
      ['nodes'],
      ['nodes', '--watch'],
      ['nodes', 'forget', 'web1'],
      ['requests', 'list'],
      ['requests', 'show', 'last'],
      ['requests', 'attach', 'last'],
      ['requests', 'cancel', 'last'],
      ['requests', 'retry', 'last', '--failed'],
    ]) {
      it(`69 within its window when no manager answers: ${argv.join(' ')}`, async () => {
        const nowhere = ['-e', 'tcp://127.0.0.1:1', '-w', '1', '-t', '60000'];
        expect(await timed([...nowhere, ...argv])).to.be.within(1_000, 1_250);
      });
    }

    for (const [retries, endsAtMs] of [
      ['0', 200],
      ['1', 200],
      ['2', 400],
    ] as const) {
      it(`69 after as many tries as -r says: ${retries}`, async () => {
        const argv = ['-e', 'tcp://127.0.0.1:1', '-t', '200', '-r', retries, 'nodes'];
        expect(await timed(argv)).to.be.within(endsAtMs, endsAtMs + 10);
      });
    }

    for (const argv of [order, ['nodes'], ['requests', 'list'], ['requests', 'attach', 'last']]) {
      it(`130 when the user interrupts before a manager answered: ${argv.join(' ')}`, async () => {
        const run = await runClient(
          ['-e', 'tcp://127.0.0.1:1', ...argv],
          {},
          { meanwhile: async ({ interrupt }) => interrupt() },
        );
        expect(run).to.include({ code: 130, out: '' });
        expect(run.error).to.equal('service-mgr-client: interrupted before a manager answered\n');
        expect(run.manager.clock.now()).to.equal(0);
      });
    }
  });
});
