// The three programs on this host alone: no root, no server and nothing in /etc needed. It uses what the build has left
// in dist/ and Node.js itself, so that it can say what is missing when nothing was installed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { constants as system, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const startDeadlineMs = 10_000;
// A daemon promises to stop within 10 s.
const stopDeadlineMs = 12_000;
const pollMs = 50;
const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const systemFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

const running = new Set();
const interrupted = new AbortController();

/** Said to the user without a stack trace. */
class Trouble extends Error {}

function say(text = '') {
  process.stdout.write(`${text}\n`);
}

/** Starts a program in a process group of its own: Ctrl-C reaches only this demo, which then stops it once. */
function startProgram(name, args) {
  const child = spawn(process.execPath, [join(dist, `${name}.cjs`), ...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('close', () => running.delete(child));
  return child;
}

/** Rejects when the user interrupts or the deadline passes. */
async function within(deadlineMs, what, wait) {
  const signal = AbortSignal.any([interrupted.signal, AbortSignal.timeout(deadlineMs)]);
  try {
    return await wait(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    interrupted.signal.throwIfAborted();
    throw new Trouble(`waited ${deadlineMs / 1_000} s in vain for ${what}`);
  }
}

/** Resolves with the exit code and the output of a program that ends by itself. */
async function run(name, args) {
  const child = startProgram(name, args);
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr']) {
    child[stream].setEncoding('utf8').on('data', (text) => {
      output[stream] += text;
    });
  }
  const [code] = await within(startDeadlineMs, `the end of ${name}`, (signal) =>
    once(child, 'close', { signal }),
  );
  return { ...output, code };
}

/** Starts a daemon and resolves when its log says that it has started. */
async function startDaemon(name, configFile, startedEvent) {
  const args = ['-f', configFile, 'start'];
  say(`$ ${[name, ...args].join(' ')} &`);
  const child = startProgram(name, args);
  const log = [];
  await within(startDeadlineMs, `the log event ${startedEvent} of ${name}`, async (signal) => {
    const started = new Promise((resolve) => {
      createInterface(child.stderr).on('line', (line) => {
        log.push(line);
        if (line.includes(`"event":"${startedEvent}"`)) resolve(true);
      });
    });
    const ended = once(child, 'close', { signal }).then(() => false);
    if (await Promise.race([started, ended])) return;
    throw new Trouble(`${name} did not start:\n${log.join('\n')}`);
  });
  return { name, child };
}

/** An agent has started before the manager knows of it: only the manager can tell when it has subscribed. */
async function waitForAgent(managerConfig) {
  await within(startDeadlineMs, 'the agent to reach the manager', async (signal) => {
    for (;;) {
      const { stdout, code } = await run('service-mgrd', ['-f', managerConfig, 'status']);
      if (code === 0 && JSON.parse(stdout).result.counters.agents >= 1) return;
      await sleep(pollMs, undefined, { signal });
    }
  });
}

/** Lets a program in with a token of the manager, as one would on two hosts. */
async function joinWithToken({ role, name, config }, { manager, joinEndpoint }) {
  const create = ['-f', manager, 'token', 'create', '--role', role];
  const { stdout, stderr, code } = await run('service-mgrd', create);
  if (code !== 0) throw new Trouble(`no token for ${name}:\n${stderr}`);
  say(`$ ${name} -f ${config} join $(service-mgrd ${create.join(' ')}) --manager ${joinEndpoint}`);
  const joined = await run(name, ['-f', config, 'join', stdout.trim(), '--manager', joinEndpoint]);
  if (joined.code !== 0) throw new Trouble(`${name} could not join:\n${joined.stderr}`);
}

/** What the client itself says about its exit codes. */
async function readExitCodes() {
  const { stdout } = await run('service-mgr-client', ['--help']);
  const table = stdout.slice(stdout.indexOf('Exit codes:'));
  return new Map(
    [...table.matchAll(/^ {2}(\d+) +(.+)$/gm)].map(([, code, meaning]) => [Number(code), meaning]),
  );
}

async function ask(service, configFile, meanings) {
  const args = ['-f', configFile, '-T', 'any', '-c', 'status', '-s', service];
  say(`\n$ ${['service-mgr-client', ...args].join(' ')}`);
  const { stdout, stderr, code } = await run('service-mgr-client', args);
  process.stdout.write(stdout + stderr);
  say(`(exit code ${code}: ${meanings.get(code) ?? 'not one of the documented ones'})`);
}

async function stopDaemon({ name, child }) {
  child.kill('SIGTERM');
  await within(stopDeadlineMs, `the end of ${name}`, async (signal) => {
    if (running.has(child)) await once(child, 'close', { signal });
  });
  if (child.exitCode !== 0) throw new Trouble(`${name} ended with ${child.signalCode ?? child.exitCode}`);
}

/** Ports that nobody listens on: held together, so that they differ, and given free for the daemons. */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

function writeConfig(folder, name, settings, security) {
  const file = join(folder, `${name}.conf`);
  writeFileSync(file, `[Default]\n${linesOf(settings)}\n[security]\n${linesOf(security)}`);
  return file;
}

function linesOf(settings) {
  return Object.entries(settings)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join('');
}

async function writeConfigs(folder) {
  const endpoints = (await freePorts(7)).map((port) => `tcp://127.0.0.1:${port}`);
  const [frontend, backend, sink, publisher, managerMgmt, agentMgmt, joinEndpoint] = endpoints;
  const curve = { mode: 'curve', policy_file: join(folder, 'policy') };
  const manager = writeConfig(
    folder,
    'service-mgrd',
    {
      frontend_endpoint: frontend,
      backend_endpoint: backend,
      sink_endpoint: sink,
      publisher_endpoint: publisher,
      mgmt_endpoint: managerMgmt,
      state_dir: join(folder, 'manager'),
    },
    { ...curve, join_endpoint: joinEndpoint },
  );
  const agent = writeConfig(
    folder,
    'service-mgr-agentd',
    { mgmt_endpoint: agentMgmt, state_dir: join(folder, 'agent') },
    curve,
  );
  const client = writeConfig(folder, 'service-mgr-client', {}, { key_dir: join(folder, 'keys') });
  return { manager, agent, client, joinEndpoint };
}

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** As the agent looks for it: in PATH, and in the system's folders, which the PATH of a plain user may lack. */
function hasServiceProgram() {
  const folders = [...(process.env.PATH ?? '').split(':'), ...systemFolders];
  return folders.some((folder) => folder.startsWith('/') && isProgram(join(folder, 'service')));
}

const usualServices = ['cron', 'crond', 'sshd', 'ssh', 'dbus', 'systemd-journald'];

/** A service of this host: one that most hosts have, else the first init or rc.d script. */
function realService() {
  for (const folder of ['/etc/init.d', '/etc/rc.d']) {
    const names = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [];
    const scripts = names.filter((entry) => !entry.isDirectory() && /^[a-z0-9][\w.+-]*$/.test(entry.name));
    const known = scripts.map((entry) => entry.name).filter((name) => isProgram(join(folder, name)));
    const found = usualServices.find((name) => known.includes(name)) ?? known.sort()[0];
    if (found !== undefined) return found;
  }
  const unitFolders = ['/etc/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];
  const known = usualServices.find((unit) =>
    unitFolders.some((folder) => existsSync(join(folder, `${unit}.service`))),
  );
  return known ?? 'cron';
}

async function show(folder) {
  const configs = await writeConfigs(folder);
  say('A manager, an agent and a client, on this host alone, with their configuration in');
  say(`${folder}\n`);
  const [meanings, manager] = await Promise.all([
    readExitCodes(),
    startDaemon('service-mgrd', configs.manager, 'manager.started'),
  ]);
  await joinWithToken({ role: 'operator', name: 'service-mgr-client', config: configs.client }, configs);
  await joinWithToken({ role: 'agent', name: 'service-mgr-agentd', config: configs.agent }, configs);
  const agent = await startDaemon('service-mgr-agentd', configs.agent, 'agent.started');
  await waitForAgent(configs.manager);
  if (!hasServiceProgram() && !existsSync('/run/systemd/system'))
    say('\nThis host has no service(8) program; the agent says so in both answers.');
  say('\nThe status of a service that does not exist:');
  await ask('dummy', configs.client, meanings);
  say('\nThe status of a service of this host:');
  await ask(realService(), configs.client, meanings);
  say('\nStopping both daemons with SIGTERM.');
  await stopDaemon(agent);
  await stopDaemon(manager);
}

/** Whatever still runs is ended, and nothing of ours stays on the disk. */
async function cleanUp(folder) {
  const children = [...running];
  const ended = Promise.all(children.map((child) => once(child, 'close')));
  for (const child of children) child.kill('SIGTERM');
  await Promise.race([ended, sleep(stopDeadlineMs, undefined, { ref: false })]);
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}

async function main() {
  const programs = ['service-mgrd', 'service-mgr-agentd', 'service-mgr-client'];
  if (!programs.every((name) => existsSync(join(dist, `${name}.cjs`)))) {
    throw new Trouble('the programs are not built yet: run "npm ci" first');
  }
  for (const signal of endSignals) process.on(signal, () => interrupted.abort(signal));
  // The reader has gone, as in `npm run demo | head`.
  process.stdout.on('error', () => interrupted.abort('SIGPIPE'));
  const folder = mkdtempSync(join(tmpdir(), 'service-mgr-demo-'));
  try {
    await show(folder);
  } finally {
    await cleanUp(folder);
  }
  say('Done; nothing was left behind. README.md says how to go on.');
}

try {
  await main();
} catch (error) {
  const signal = interrupted.signal.reason;
  if (signal === undefined && !(error instanceof Trouble)) throw error;
  process.stderr.write(signal === undefined ? `demo: ${error.message}\n` : `demo: stopped by ${signal}\n`);
  process.exitCode = signal === undefined ? 1 : 128 + system.signals[signal];
}
