import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type PackagedFile, type Project, packagedFiles, sourceText, zipped } from './files.ts';
import { stage, writeStaged } from './stage.ts';

/** Builds the .deb with dpkg-deb, below a scratch folder, and returns the name of the file in `target`. */
export function buildDeb(project: Project, epoch: number, scratch: string, target: string): string {
  const files = [...packagedFiles('deb', project), ...debianDocuments(project, epoch)];
  const architecture = output('dpkg', ['--print-architecture']);
  const root = join(scratch, 'deb');
  stage(files, root);
  mkdirSync(join(root, 'DEBIAN'), { mode: 0o755 });
  const control = controlText(files, architecture, project, scratch, root);
  writeStaged(join(root, 'DEBIAN/control'), control);
  writeStaged(join(root, 'DEBIAN/md5sums'), md5sums(files));
  writeStaged(join(root, 'DEBIAN/conffiles'), conffiles(files));
  for (const script of ['postinst', 'prerm', 'postrm']) {
    writeStaged(join(root, 'DEBIAN', script), sourceText(`packaging/debian/${script}`), true);
  }
  const file = join(target, `service-mgr_${project.version}_${architecture}.deb`);
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', root, file], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return file;
}

function output(program: string, args: readonly string[], cwd?: string): string {
  return execFileSync(program, args, { encoding: 'utf8', ...(cwd === undefined ? {} : { cwd }) }).trim();
}

/** As Debian's own tools do it: DEBFULLNAME and DEBEMAIL say who builds the package. */
function maintainer(): string {
  const { DEBFULLNAME: name, DEBEMAIL: address } = process.env;
  return `${name ?? 'the service-mgr authors'} <${address ?? 'service-mgr@packages.invalid'}>`;
}

function controlText(
  files: readonly PackagedFile[],
  architecture: string,
  { version, node }: Project,
  scratch: string,
  root: string,
): string {
  const values = {
    VERSION: version,
    ARCHITECTURE: architecture,
    MAINTAINER: maintainer(),
    INSTALLED_SIZE: String(installedSize(files)),
    SHLIBS: libraries(files, scratch, root),
    NODE: node,
  };
  return Object.entries(values).reduce(
    (text, [name, value]) => text.replaceAll(`@${name}@`, value),
    sourceText('packaging/debian/control'),
  );
}

/** The packages whose libraries the addons are linked against, in the versions that they need. */
function libraries(files: readonly PackagedFile[], scratch: string, root: string): string {
  const addons = files.filter(({ path }) => path.endsWith('.node')).map(({ path }) => join(root, path));
  mkdirSync(join(scratch, 'debian'), { recursive: true });
  // dpkg-shlibdeps wants to see the source of a package, of which this is all that it reads.
  const control = 'Source: service-mgr\n\nPackage: service-mgr\nArchitecture: any\n';
  writeStaged(join(scratch, 'debian/control'), control);
  return output(
    'dpkg-shlibdeps',
    ['--warnings=0', '-O', ...addons.map((file) => `-e${file}`)],
    scratch,
  ).replace(/^shlibs:Depends=/, '');
}

/** In KiB, as dpkg-gencontrol counts: each file by itself. */
function installedSize(files: readonly PackagedFile[]): number {
  const sizes = files.map(({ content }) =>
    Math.ceil((content instanceof Buffer ? content.length : 1) / 1_024),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function md5sums(files: readonly PackagedFile[]): string {
  return files
    .filter(({ isConfig = false }) => !isConfig)
    .flatMap(({ path, content }) => (content instanceof Buffer ? [{ path, content }] : []))
    .map(({ path, content }) => `${createHash('md5').update(content).digest('hex')}  ${path}\n`)
    .sort()
    .join('');
}

function conffiles(files: readonly PackagedFile[]): string {
  return files
    .filter(({ isConfig = false }) => isConfig)
    .map(({ path }) => `/${path}\n`)
    .join('');
}

function debianDocuments({ version }: Project, epoch: number): PackagedFile[] {
  const folder = 'usr/share/doc/service-mgr';
  const date = new Date(epoch * 1_000).toUTCString().replace('GMT', '+0000');
  const changelog = `service-mgr (${version}) unstable; urgency=medium

  * CHANGELOG.md.gz in this folder says what a user notices.

 -- ${maintainer()}  ${date}
`;
  return [
    { path: `${folder}/changelog.gz`, content: zipped(changelog) },
    { path: `${folder}/copyright`, content: Buffer.from(copyrightText()) },
  ];
}

function copyrightText(): string {
  const license = sourceText('LICENSE');
  const [, notice = ''] = /^Copyright \(c\) (.+)$/m.exec(license) ?? [];
  const [, text = ''] = license.split(`${notice}\n\n`);
  const indented = text.trim().replace(/^/gm, ' ').replace(/^ $/gm, ' .');
  return sourceText('packaging/debian/copyright')
    .replace('@COPYRIGHT@', `Copyright: ${notice}`)
    .replace('@MIT@', indented);
}
