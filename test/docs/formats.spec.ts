import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parseTarget } from '../../src/core/target-parser.ts';
import { auditLimits } from '../../src/security/audit-chain.ts';
import { auditFaults } from '../../src/security/audit-verify.ts';
import { tokenIdBytes, tokenSecretBytes } from '../../src/security/join-token.ts';
import { keyKinds, printSecretKeyFile } from '../../src/security/key-file.ts';
import { keyRingBounds } from '../../src/security/key-ring.ts';
import { newCurveKeys, newSignKeys } from '../../src/security/keys.ts';
import { askerRoles } from '../../src/security/policy.ts';
import { parsePolicy, policyLimits } from '../../src/security/policy-parser.ts';
import { sequenceWindowSize } from '../../src/security/sequence-window.ts';
import { keyStates } from '../../src/wire/admin.ts';
import { joinRoles } from '../../src/wire/fields.ts';

const page = readFileSync(new URL('../../docs/FORMATS.md', import.meta.url), 'utf8');
const security = new URL('../../src/security/', import.meta.url);

function section(title: string): string {
  return page.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
}

function firstColumn(text: string): string[] {
  return Array.from(text.matchAll(/^\| `([^`]+)` \|/gm), ([, cell = '']) => cell);
}

/** As the page writes them. */
function numbers(limits: Readonly<Record<string, number>>): string[] {
  return Object.values(limits).map((limit) => limit.toLocaleString('en'));
}

describe('docs/FORMATS.md', () => {
  it('has each domain, and no other', () => {
    const source = readFileSync(new URL('transcript.ts', security), 'utf8');
    const domains = Array.from(source.matchAll(/^ {2}\| '(.+?)'/gm), ([, domain = '']) => domain);
    const told = new Set(page.match(/service-mgr\/[a-z-]+\/\d/g));
    expect(domains).to.have.length.above(5);
    expect([...told]).to.have.members(domains);
  });

  it('shows a key file as it is printed', () => {
    const curve = newCurveKeys();
    const owner = { kind: 'operator', name: 'alice', created: '2026-11-05T10:00:00Z' } as const;
    const printed = printSecretKeyFile({ ...owner, curve, sign: newSignKeys() });
    const shown = printed.replace(/^((?:curve|sign)_\w+ = ).*$/gm, '$1...');
    expect(section('Key files')).to.include(`\`\`\`\n${shown}\`\`\``);
    for (const kind of keyKinds) expect(section('Key files')).to.include(`\`${kind}\``);
  });

  it('has a policy for an example that is one', () => {
    const [, example = ''] = section('Policy').match(/```\n(deny[\s\S]+?)\n```/) ?? [];
    const source = { fileName: 'FORMATS.md', checkTarget: (target: string) => parseTarget(target) };
    const { rules } = parsePolicy(example, source);
    expect(rules.map(({ text }) => text).join('\n')).to.equal(example);
    for (const role of askerRoles) expect(section('Policy')).to.include(`\`${role}\``);
  });

  it('has the limits of each part', () => {
    const { characters, ...policy } = policyLimits;
    expect(section('Policy')).to.include(`${characters / 1_024} KiB`);
    for (const limit of numbers(policy)) expect(section('Policy')).to.include(limit);
    const { beginCharacters: _, ...audit } = auditLimits;
    for (const limit of numbers(audit)) expect(section('Audit log')).to.include(limit);
    expect(section('Proof of an agent')).to.include(sequenceWindowSize.toLocaleString('en'));
  });

  it('has each state of a key, and how many there may be', () => {
    const text = section('Known keys');
    expect(firstColumn(text)).to.have.members(keyStates);
    const { pendingMs, retiringMs, ...counts } = keyRingBounds;
    for (const count of numbers(counts)) expect(text).to.match(new RegExp(`\\b${count}\\b`));
    expect([pendingMs, retiringMs]).to.deep.equal([86_400_000, 3_600_000]);
    expect(text).to.include('forgotten after a day').and.include('forgotten after an hour');
  });

  it('has each fault of an audit log', () => {
    expect(firstColumn(section('Audit log'))).to.have.members(auditFaults);
  });

  it('has the bytes of a join token', () => {
    const text = section('Join tokens');
    expect(text).to.include(`| ${tokenIdBytes} | id`).and.include(`| ${tokenSecretBytes} | secret`);
    expect(text).to.include(joinRoles.map((role, byte) => `${byte} ${role}`).join(', '));
  });
});
