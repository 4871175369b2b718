import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { agentKeys, aliasSection, healthSection, readAgentConfig } from '../../src/config/agent.ts';
import { bundleKeys } from '../../src/config/bundles.ts';
import { clientKeys, defaultClientConfig, readClientConfig } from '../../src/config/client.ts';
import type { Key } from '../../src/config/key.ts';
import { managerKeys, readManagerConfig } from '../../src/config/manager.ts';

interface Example {
  readonly keys: readonly Key<unknown>[];
  readonly read: (text: string, fileName: string) => object;
  /** Of those that need not be given. */
  readonly inUse?: readonly string[];
}

const examples: Readonly<Record<string, Example>> = {
  'service-mgrd.conf': { keys: Object.values(managerKeys), read: readManagerConfig, inUse: ['mode'] },
  'service-mgr-agentd.conf': { keys: Object.values(agentKeys), read: readAgentConfig, inUse: ['mode'] },
  'service-mgr-client.conf': { keys: Object.values(clientKeys), read: readClientConfig },
};

/** `#key = value`: a key that is commented out. Prose begins with `# `. */
const commentedKey = /^#([a-z_]+ =.*)$/gm;

/** Keys that are given together or not at all. */
const pair = ['manager_endpoint', 'sink_endpoint'];

/** With the keys in use that are commented out. */
function uncommented(text: string, isMeant: (key: string) => boolean): string {
  return text.replaceAll(commentedKey, (line, entry: string) => (isMeant(keyOf(entry)) ? entry : line));
}

const keyOf = (entry: string) => entry.replace(/ =.*$/, '');

const textOf = (fileName: string) => readFileSync(new URL(`../../conf/${fileName}`, import.meta.url), 'utf8');

/** What the file says about a key: the comment above it, the section it stands in, and its line. */
function entryOf(text: string, key: string) {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => line.replace(/^#/, '').startsWith(`${key} =`));
  const above = lines.slice(0, Math.max(at, 0));
  const start = above.findLastIndex((line) => !line.startsWith('# ')) + 1;
  return {
    comment: above
      .slice(start)
      .map((line) => line.slice(2))
      .join(' '),
    section: above.findLast((line) => line.startsWith('[')),
    isCommentedOut: lines[at]?.startsWith('#') ?? false,
    value: lines[at]?.replace(/^[^=]*=/, '').trim(),
  };
}

for (const [fileName, { keys, read, inUse = [] }] of Object.entries(examples)) {
  describe(`conf/${fileName}`, () => {
    const text = textOf(fileName);

    it('works as it stands', () => {
      expect(() => read(text, fileName)).to.not.throw();
    });

    it('says the same with every default in place', () => {
      const withDefault = keys.filter((key) => key.fallback !== undefined).map((key) => key.key);
      const withDefaults = uncommented(text, (key) => withDefault.includes(key));
      expect(withDefaults).to.not.equal(text);
      expect(read(withDefaults, fileName)).to.deep.equal(read(text, fileName));
    });

    for (const [, entry = ''] of text.matchAll(commentedKey)) {
      it(`works with ${entry}`, () => {
        const together = pair.includes(keyOf(entry)) ? pair : [keyOf(entry)];
        const changed = uncommented(text, (key) => together.includes(key));
        expect(changed).to.include(`\n${entry}\n`);
        expect(() => read(changed, fileName)).to.not.throw();
      });
    }

    for (const key of keys) {
      it(`explains ${key.key} in its section, as the table does`, () => {
        const entry = entryOf(text, key.key);
        expect(entry.section).to.equal(`[${key.section}]`);
        expect(entry.comment.startsWith(key.summary), entry.comment).to.equal(true);
      });

      const isInUse = key.isRequired || inUse.includes(key.key);
      it(`shows ${key.key} ${isInUse ? 'in use' : 'commented out, with its default'}`, () => {
        const entry = entryOf(text, key.key);
        expect(entry.isCommentedOut).to.equal(!isInUse);
        if (key.fallback !== undefined) expect(entry.value).to.equal(key.fallback);
        else if (!key.isRequired) expect(entry.comment).to.match(/[Bb]y default|not set: /);
      });
    }

    it('shows no key that does not exist', () => {
      const shown = [...text.matchAll(/^#?([a-z_]+) =/gm)].map((match) => match[1]);
      expect(shown).to.have.members(keys.map((key) => key.key));
    });

    it('fits a terminal', () => {
      for (const line of text.split('\n')) expect(line.length, line).to.be.at.most(80);
    });
  });
}

describe('the example sections of conf/service-mgr-agentd.conf', () => {
  const text = textOf('service-mgr-agentd.conf');
  /** Lines of the comments that are no prose. */
  const sectionLines = /^# (\[[a-z:]+\]|[a-z_]+ = .*)$/gm;
  const withExamples = text.replaceAll(sectionLines, '$1');

  it('work', () => {
    const { aliases, bundles, healthChecks } = readAgentConfig(withExamples, 'x');
    expect(aliases).to.deep.equal(
      new Map([
        ['database', ['postgresql', 'postgresql-15']],
        ['mail', ['postfix', 'exim4']],
      ]),
    );
    expect(bundles).to.deep.equal(
      new Map([
        [
          'web',
          {
            services: ['postgresql', 'app', 'nginx'],
            stopOnError: true,
            timeoutMs: 30_000,
            timeoutsMs: new Map([
              ['postgresql', 120_000],
              ['nginx', 10_000],
            ]),
          },
        ],
      ]),
    );
    expect(healthChecks).to.deep.equal(
      new Map([
        ['web', ['/usr/lib/service-mgr/check-web', '--fast']],
        ['db', ['/usr/bin/pg_isready', '-q']],
      ]),
    );
  });

  it('explain every key of a bundle, and the sections whose keys the admin names', () => {
    const prose = text.replaceAll(/\n# ?/g, ' ');
    for (const { key, summary } of Object.values(bundleKeys)) {
      expect(prose).to.include(summary);
      expect(text).to.match(new RegExp(`^# ${key} = .`, 'm'));
    }
    for (const { section, summary } of [aliasSection, healthSection]) {
      expect(prose).to.include(summary);
      expect(text).to.include(`\n[${section}]\n`);
    }
  });
});

describe('the examples in conf/', () => {
  it('hold the endpoints at which the programs find each other on one host', () => {
    const isEndpoint = (key: string) => key.endsWith('endpoint');
    const manager = readManagerConfig(uncommented(textOf('service-mgrd.conf'), isEndpoint), 'x');
    expect(manager).to.include({
      frontendEndpoint: 'tcp://*:5500',
      backendEndpoint: 'tcp://*:5600',
      sinkEndpoint: 'tcp://*:5700',
      mgmtEndpoint: 'tcp://127.0.0.1:5800',
      publisherEndpoint: 'tcp://*:5750',
    });
    expect(manager.security.joinEndpoint).to.equal('tcp://*:5850');
    const agent = readAgentConfig(uncommented(textOf('service-mgr-agentd.conf'), isEndpoint), 'x');
    expect(agent).to.deep.include({
      managerEndpoints: ['tcp://localhost:5600'],
      sinkEndpoints: ['tcp://localhost:5700'],
      mgmtEndpoint: 'tcp://127.0.0.1:6000',
    });
    const client = readClientConfig(uncommented(textOf('service-mgr-client.conf'), isEndpoint), 'x');
    expect(client.endpoints).to.deep.equal(['tcp://localhost:5500']);
  });

  it('make the daemons secure, and let an agent serve the managers that it joined', () => {
    const manager = readManagerConfig(textOf('service-mgrd.conf'), 'x');
    const agent = readAgentConfig(textOf('service-mgr-agentd.conf'), 'x');
    for (const { security } of [manager, agent])
      expect(security).to.include({ mode: 'curve', allowInsecure: false, isAudited: true });
    expect(agent).to.include({ managerEndpoints: undefined, sinkEndpoints: undefined });
  });

  it('leave the client as it is without a file', () => {
    expect(readClientConfig(textOf('service-mgr-client.conf'), 'x')).to.deep.equal(defaultClientConfig);
  });
});
