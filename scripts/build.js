import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
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
  ...programs.map((name) => ({ source: `src/bin/${name}.ts`, target: `${name}.main.cjs` })),
  { source: 'src/client/index.ts', target: 'index.cjs' },
];

/**
 * What is run: a Node.js that is too old could not even read the program itself, and would show a stack trace. In the
 * JavaScript of 2009, so that every one can read this.
 */
function startText(name, [major, minor]) {
  return `#!/usr/bin/env node
'use strict';
var found = process.versions.node.split('.').map(Number);
if (found[0] > ${major} || (found[0] === ${major} && found[1] >= ${minor})) {
  require('./${name}.main.cjs');
} else {
  process.stderr.write('${name}: needs Node.js ${major}.${minor} or newer, and ' + process.execPath + ' is ' + process.version + '\\n');
  process.exit(78);
}
`;
}

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

/** Resolves with the files that have gone into the bundle. */
async function bundle({ source, target }, version) {
  const { outputFiles, metafile } = await build({
    absWorkingDir: top,
    entryPoints: [source],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minifyWhitespace: true,
    minifySyntax: true,
    keepNames: true,
    define: { __VERSION__: JSON.stringify(version) },
    plugins: [addonsBesideBundle],
    logLevel: 'warning',
    // import.meta is empty in CommonJS: better no build than a program that fails on its first start.
    logOverride: { 'empty-import-meta': 'error' },
  });
  await replaceFile(join(dist, target), 0o644, (fresh) => writeFile(fresh, outputFiles[0].contents));
  return Object.keys(metafile.inputs);
}

/** The folders of the packages that these files belong to. */
function packagesOf(inputs) {
  const folders = inputs.flatMap((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? []);
  return [...new Set(folders)].sort();
}

/** Their notices, which have to go with every copy of what is theirs. */
async function licensesOf(folder) {
  const { name, version, license } = JSON.parse(await readFile(join(top, folder, 'package.json'), 'utf8'));
  const names = (await readdir(join(top, folder))).filter((file) =>
    /^(licen[cs]e|copying|notice)/i.test(file),
  );
  const texts = await Promise.all(names.sort().map((file) => readFile(join(top, folder, file), 'utf8')));
  return [`${name} ${version} (${license})`, ...texts.map((text) => text.trim())].join('\n\n');
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
  const { version, engines } = JSON.parse(await readFile(join(top, 'package.json'), 'utf8'));
  const oldest = /^>=(\d+)\.(\d+)$/.exec(engines.node).slice(1);
  await mkdir(dist, { recursive: true });
  const addons = { 'zeromq.node': await findZeromqAddon() };
  if (hasSqlitePackage) addons['sqlite.node'] = findSqliteAddon();
  if (hasPtyPackage) addons['pty.node'] = ptyAddon;
  for (const [name, addon] of Object.entries(addons)) {
    await replaceFile(join(dist, name), 0o644, (fresh) => copyFile(addon, fresh));
  }
  const inputs = await Promise.all(entries.map((entry) => bundle(entry, version)));
  const licenses = await Promise.all(packagesOf(inputs.flat()).map(licensesOf));
  await replaceFile(join(dist, 'THIRD-PARTY-LICENSES'), 0o644, (fresh) =>
    writeFile(fresh, `${licenses.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`),
  );
  for (const name of programs) {
    await replaceFile(join(dist, `${name}.cjs`), 0o755, (fresh) => writeFile(fresh, startText(name, oldest)));
  }
}

try {
  await main();
} catch (error) {
  // esbuild has already printed its own errors, with the place in the source.
  if (error.errors === undefined) process.stderr.write(`build: ${error.message}\n`);
  process.exitCode = 1;
}
