import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const top = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(top, 'dist');
const require = createRequire(import.meta.url);

// Only Node.js before 22.13 needs it, and it does not exist for every system.
const hasSqlitePackage = existsSync(join(top, 'node_modules/@photostructure/sqlite'));
// Only to show the output of actions as it comes, and it does not exist for every system.
const ptyAddon = join(top, `node_modules/@lydell/node-pty-${process.platform}-${process.arch}`, 'pty.node');
const hasPtyPackage = existsSync(ptyAddon);

const programs = ['service-mgrd', 'service-mgr-agentd', 'service-mgr-client'];
const entries = [
  ...programs.map((name) => ({ source: `src/bin/${name}.ts`, target: `${name}.cjs`, isProgram: true })),
  { source: 'src/client/index.ts', target: 'index.cjs', isProgram: false },
];

/** Both packages look for their addon in a folder of their own, which the installed programs do not have. */
const addonsBesideBundle = {
  name: 'addons-beside-bundle',
  setup(esbuild) {
    esbuild.onResolve({ filter: /\/load-addon(\.js)?$/ }, ({ importer }) =>
      /[\\/]zeromq[\\/]lib[\\/]/.test(importer) ? { path: './zeromq.node', external: true } : undefined,
    );
    // By its `require` condition, because its ES module uses import.meta.
    esbuild.onResolve({ filter: /^@photostructure\/sqlite$/ }, ({ path }) => ({
      path: require.resolve(path),
    }));
    esbuild.onResolve({ filter: /^node-gyp-build$/ }, ({ path }) => ({ path, namespace: 'addon' }));
    esbuild.onLoad({ filter: /^node-gyp-build$/, namespace: 'addon' }, () => ({
      contents: "module.exports = () => require('./sqlite.node');",
    }));
    esbuild.onResolve({ filter: /^@lydell\/node-pty$/ }, ({ path }) =>
      hasPtyPackage ? undefined : { path, external: true },
    );
    esbuild.onResolve({ filter: /^\.\/(requireBinary|windowsTerminal)$/ }, ({ path }) => ({
      path,
      namespace: 'addon',
    }));
    esbuild.onLoad({ filter: /^\.\/requireBinary$/, namespace: 'addon' }, () => ({
      contents: "exports.requireBinary = () => require('./pty.node');",
    }));
    esbuild.onLoad({ filter: /^\.\/windowsTerminal$/, namespace: 'addon' }, () => ({ contents: '' }));
    esbuild.onResolve({ filter: /^\.\/(sqlite|pty)\.node$/, namespace: 'addon' }, ({ path }) => ({
      path,
      external: true,
    }));
  },
};

/** A program may be running from dist: its file, above all a mapped addon, is replaced and never written into. */
async function replaceFile(target, mode, write) {
  const fresh = join(dist, `.${basename(target)}.${process.pid}`);
  await write(fresh);
  await chmod(fresh, mode);
  await rename(fresh, target);
}

async function bundle({ source, target, isProgram }, version) {
  const { outputFiles } = await build({
    absWorkingDir: top,
    entryPoints: [source],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minifyWhitespace: true,
    minifySyntax: true,
    keepNames: true,
    define: { __VERSION__: JSON.stringify(version) },
    banner: isProgram ? { js: '#!/usr/bin/env node' } : {},
    plugins: [addonsBesideBundle],
    logLevel: 'warning',
    // import.meta is empty in CommonJS: better no build than a program that fails on its first start.
    logOverride: { 'empty-import-meta': 'error' },
  });
  await replaceFile(join(dist, target), isProgram ? 0o755 : 0o644, (fresh) =>
    writeFile(fresh, outputFiles[0].contents),
  );
}

/** The addon that zeromq's own loader would take: same system, newest ABI first, the first that loads. */
async function findZeromqAddon() {
  const folder = join(dirname(require.resolve('zeromq/package.json')), 'build');
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
  const libc = { darwin: 'libc', linux: existsSync('/etc/alpine-release') ? 'musl' : 'glibc', win32: 'msvc' };
  const candidates = Object.entries(manifest)
    .map(([key, path]) => ({ ...JSON.parse(key), path: join(folder, ...path.split(/[\\/]/)) }))
    .filter(({ os, arch }) => os === process.platform && arch === process.arch)
    .filter((candidate) => candidate.libc === (libc[process.platform] ?? 'unknown'))
    .sort((one, other) => other.abi - one.abi);
  const reasons = [];
  for (const { path } of candidates) {
    try {
      require(path);
      return path;
    } catch (cause) {
      reasons.push(`  ${path}: ${cause.message}`);
    }
  }
  const system = `${process.platform} ${process.arch}`;
  throw new Error(
    [`zeromq has no addon that loads on ${system} with Node ${process.version}`, ...reasons].join('\n'),
  );
}

function findSqliteAddon() {
  const folder = dirname(require.resolve('@photostructure/sqlite/package.json'));
  const findAddon = createRequire(join(folder, 'package.json'))('node-gyp-build');
  return findAddon.resolve(folder);
}

async function main() {
  const missing = entries.map(({ source }) => source).filter((source) => !existsSync(join(top, source)));
  if (missing.length > 0) throw new Error(`these entries do not exist: ${missing.join(', ')}`);
  const { version } = JSON.parse(await readFile(join(top, 'package.json'), 'utf8'));
  await mkdir(dist, { recursive: true });
  const addons = { 'zeromq.node': await findZeromqAddon() };
  if (hasSqlitePackage) addons['sqlite.node'] = findSqliteAddon();
  if (hasPtyPackage) addons['pty.node'] = ptyAddon;
  for (const [name, addon] of Object.entries(addons)) {
    await replaceFile(join(dist, name), 0o644, (fresh) => copyFile(addon, fresh));
  }
  await Promise.all(entries.map((entry) => bundle(entry, version)));
}

try {
  await main();
} catch (error) {
  // esbuild has already printed its own errors, with the place in the source.
  if (error.errors === undefined) process.stderr.write(`build: ${error.message}\n`);
  process.exitCode = 1;
}
