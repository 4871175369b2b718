import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { built } from './daemon.ts';
import { startNamespace } from './namespace.ts';
import { type Ended, runProgram } from './processes.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A host of its own for what is installed with fixed paths and uses fixed ports. */
export interface PrivateRoot {
  run(program: string, ...args: readonly string[]): Promise<Ended>;
  /** Runs a line of sh and resolves with what it printed; throws when it fails. */
  sh(line: string): Promise<string>;
  /** Pids, as seen inside, of the living processes whose command line matches. */
  pidsOf(commandLine: RegExp): Promise<readonly number[]>;
}

const top = fileURLToPath(new URL('../../../', import.meta.url));
const deadlineMs = 30_000;
const env = { HOME: '/run/home', XDG_CONFIG_HOME: undefined };

/**
 * Namespaces in which /etc is a copy, /run, /var/log, /var/lib and /usr/local are empty but for the built programs and
 * the shipped configuration, the home of root is in /run, and the network is a loopback. Every process ends with
 * `cleanUp()`.
 */
export async function startPrivateRoot(): Promise<PrivateRoot> {
  const namespace = await startNamespace('a root of its own', setUp(temporaryFolder()), ['ip']);
  await namespace.program.waitForLine(/^furnished$/);
  const [first = '', ...enter] = [...namespace.enter, 'nsenter', '--net=/proc/1/ns/net', '--wd=/', '--'];
  const run = (name: string, ...args: readonly string[]) =>
    runProgram(first, [...enter, name, ...args], { env, deadlineMs, label: `${name} inside` });
  const sh = async (line: string) => {
    const { code, stdout, stderr } = await run('sh', '-c', line);
    if (code !== 0) throw new Error(`${line}: exit code ${code}\n${stdout}${stderr}`);
    return stdout;
  };
  const pidsOf = async (commandLine: RegExp) => {
    const shown = await sh('ps -e -o pid= -o stat= -o args=');
    const rows = [...shown.matchAll(/^ *(\d+) +([^ Z]\S*) +(.*)$/gm)];
    return rows.filter(([, , , args = '']) => commandLine.test(args)).map(([, pid]) => Number(pid));
  };
  return { run, sh, pidsOf };
}

// What other tests put into /etc may go while it is copied. The first process takes in those whose parents are gone, as
// init does.
function setUp(folder: string): string {
  const dist = dirname(built('service-mgrd'));
  return `
ready
cp -a /etc ${folder}/etc 2>/dev/null || [ -e ${folder}/etc/passwd ]
mkdir -p ${folder}/lib
cp ${dist}/*.cjs ${dist}/*.node ${folder}/lib
mount --bind ${folder}/etc /etc
for target in /run /var/log /var/lib /usr/local; do mount -t tmpfs -o mode=755 private "$target"; done
mkdir -p /run/home /usr/local/bin /usr/local/sbin /usr/local/lib/service-mgr /run/lock/subsys
cp ${folder}/lib/* /usr/local/lib/service-mgr
touch /usr/local/bin/node
mount --bind ${process.execPath} /usr/local/bin/node
for name in service-mgrd service-mgr-agentd service-mgr-client; do
  ln -s "/usr/local/lib/service-mgr/$name.cjs" "/usr/local/bin/$name"
  install -D -m 644 "${top}conf/$name.conf" "/etc/service-mgr/$name.conf"
done
exec unshare --net sh -c 'ip link set lo up; echo furnished; sleep 2147483 & wait'
`;
}
