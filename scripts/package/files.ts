import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

export type Kind = 'deb' | 'rpm';

export interface PackagedFile {
  /** Without the first slash. */
  readonly path: string;
  readonly content: Buffer | { readonly linkTo: string };
  readonly isExecutable?: boolean;
  /** For the administrator to change: a conffile. */
  readonly isConfig?: boolean;
}

export interface Project {
  readonly version: string;
  /** The oldest Node.js: `20.19`. */
  readonly node: string;
}

export const top = fileURLToPath(new URL('../../', import.meta.url));
const daemons = ['service-mgrd', 'service-mgr-agentd'];
const programs = [...daemons, 'service-mgr-client'];

/** Made by the programs when they run, and taken away with the package. */
export const folders = ['var/lib/service-mgr', 'var/log/service-mgr'];

export function readProject(): Project {
  const { version, engines } = JSON.parse(sourceText('package.json'));
  return { version, node: engines.node.replace('>=', '') };
}

export function sourceText(path: string): string {
  return source(path).toString('utf8');
}

function source(path: string): Buffer {
  return readFileSync(join(top, path));
}

/** All that both packages bring, and what only the one of this kind does. Throws where a file is missing. */
export function packagedFiles(kind: Kind, project: Project): PackagedFile[] {
  return [
    ...programs.flatMap((name) => programFiles(name, project)),
    ...['zeromq.node', 'sqlite.node', 'pty.node'].map((name) => ({
      path: `usr/lib/service-mgr/${name}`,
      content: stripped(`dist/${name}`),
    })),
    ...programs.map((name) => configFile(`etc/service-mgr/${name}.conf`, `conf/${name}.conf`)),
    ...daemons.flatMap((name) => daemonFiles(name, kind)),
    ...['sysusers', 'tmpfiles'].map((name) => ({
      path: `usr/lib/${name}.d/service-mgr.conf`,
      content: source(`init.d/systemd/service-mgr.${name}.conf`),
    })),
    ...manPages(),
    ...completionFiles(kind),
    ...documents(),
  ];
}

function programFiles(name: string, { node }: Project): PackagedFile[] {
  const start = sourceText('packaging/program.sh').replaceAll('@PROGRAM@', name).replaceAll('@NODE@', node);
  const folder = 'usr/lib/service-mgr';
  return [
    { path: `usr/bin/${name}`, content: Buffer.from(start), isExecutable: true },
    { path: `${folder}/${name}.cjs`, content: source(`dist/${name}.cjs`), isExecutable: true },
    { path: `${folder}/${name}.main.cjs`, content: source(`dist/${name}.main.cjs`) },
  ];
}

function daemonFiles(name: string, kind: Kind): PackagedFile[] {
  const [script, unitFolder, scriptFolder] =
    kind === 'deb'
      ? [`init.d/Debian/${name}`, 'lib/systemd/system', 'etc/init.d']
      : [`init.d/CentOS/${name}`, 'usr/lib/systemd/system', 'etc/rc.d/init.d'];
  const unit = `${name}.service`;
  return [
    { ...configFile(`${scriptFolder}/${name}`, script), isExecutable: true },
    { path: `${unitFolder}/${unit}`, content: source(`init.d/systemd/${unit}`) },
    configFile(`etc/logrotate.d/${name}`, `conf/logrotate/${name}`),
  ];
}

function configFile(path: string, from: string): PackagedFile {
  return { path, content: source(from), isConfig: true };
}

function manPages(): PackagedFile[] {
  const names = readdirSync(join(top, 'man')).filter((name) => /\.[158]$/.test(name));
  return names.map((name) => ({
    path: `usr/share/man/man${name.slice(-1)}/${name}.gz`,
    content: zipped(source(`man/${name}`)),
  }));
}

function completionFiles(kind: Kind): PackagedFile[] {
  const folder = 'usr/share/bash-completion/completions';
  const zshFolder = kind === 'deb' ? 'usr/share/zsh/vendor-completions' : 'usr/share/zsh/site-functions';
  return [
    { path: `${folder}/service-mgr-client`, content: completionScript('bash') },
    // bash looks for a script by the name of the program.
    ...daemons.map((name) => ({
      path: `${folder}/${name}`,
      content: { linkTo: 'service-mgr-client' },
    })),
    { path: `${zshFolder}/_service-mgr`, content: completionScript('zsh') },
  ];
}

function completionScript(shell: string): Buffer {
  return execFileSync(process.execPath, [join(top, 'dist/service-mgr-client.cjs'), 'completion', shell]);
}

function documents(): PackagedFile[] {
  const folder = 'usr/share/doc/service-mgr';
  return [
    { path: `${folder}/README.md`, content: source('README.md') },
    // What the README, the man pages and the configuration files refer to.
    ...filesIn('docs').map((name) => ({ path: `${folder}/docs/${name}`, content: source(`docs/${name}`) })),
    { path: `${folder}/CHANGELOG.md.gz`, content: zipped(source('CHANGELOG.md')) },
    { path: `${folder}/THIRD-PARTY-LICENSES.gz`, content: zipped(source('dist/THIRD-PARTY-LICENSES')) },
  ];
}

/** The names of the files in a folder, without those in folders below it. */
function filesIn(folder: string): string[] {
  const entries = readdirSync(join(top, folder), { withFileTypes: true });
  return entries.flatMap((entry) => (entry.isFile() ? [entry.name] : [])).sort();
}

/** gzip(1) -9n: no time of its own, so that the same content makes the same file. */
export function zipped(content: Buffer | string): Buffer {
  return gzipSync(content, { level: 9 });
}

function stripped(path: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'service-mgr-package-'));
  try {
    const copy = join(folder, 'addon.node');
    copyFileSync(join(top, path), copy);
    execFileSync('strip', ['--strip-unneeded', '--remove-section=.comment', '--remove-section=.note', copy]);
    return readFileSync(copy);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
