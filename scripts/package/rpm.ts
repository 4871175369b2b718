import { execFileSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PackagedFile, type Project, packagedFiles, sourceText, top } from './files.ts';
import { stage } from './stage.ts';

const architectures: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

/** Builds the .rpm with rpmbuild, below a scratch folder, and returns the name of the file in `target`. */
export function buildRpm(project: Project, epoch: number, scratch: string, target: string): string {
  const files = [...packagedFiles('rpm', project), license()];
  const root = join(scratch, 'rpm-root');
  stage(files, root);
  const list = join(scratch, 'files');
  writeFileSync(list, fileList(files));
  const architecture = architectures[process.arch] ?? process.arch;
  const macros = {
    _topdir: join(scratch, 'rpmbuild'),
    // What a key of the host would add is not ours.
    _dbpath: join(scratch, 'rpmdb'),
    version_of_project: project.version,
    node: project.node,
    stage: root,
    filelist: list,
  };
  const defines = Object.entries(macros).flatMap(([name, value]) => ['--define', `${name} ${value}`]);
  const spec = join(top, 'packaging/rpm/service-mgr.spec');
  execFileSync('rpmbuild', ['-bb', '--quiet', '--target', architecture, ...defines, spec], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const name = `service-mgr-${project.version}-1.${architecture}.rpm`;
  copyFileSync(join(macros._topdir, 'RPMS', architecture, name), join(target, name));
  return join(target, name);
}

function license(): PackagedFile {
  return { path: 'usr/share/licenses/service-mgr/LICENSE', content: Buffer.from(sourceText('LICENSE')) };
}

/** The %files section. */
function fileList(files: readonly PackagedFile[]): string {
  const owned = [
    'etc/service-mgr',
    'usr/lib/service-mgr',
    'usr/share/doc/service-mgr',
    'usr/share/doc/service-mgr/docs',
    'usr/share/licenses/service-mgr',
  ];
  return [
    '%defattr(-,root,root,-)',
    ...owned.map((path) => `%dir /${path}`),
    '%dir %attr(1770,root,service-mgr) /var/lib/service-mgr',
    '%dir /var/log/service-mgr',
    ...files.map(fileLine),
    '',
  ].join('\n');
}

function fileLine({ path, isConfig = false }: PackagedFile): string {
  if (isConfig) return `%config(noreplace) /${path}`;
  if (path.startsWith('usr/share/licenses/')) return `%license /${path}`;
  return path.startsWith('usr/share/doc/') || path.startsWith('usr/share/man/')
    ? `%doc /${path}`
    : `/${path}`;
}
