import { expect } from 'chai';
import { type PublicKeyFile, printPublicKeyFile, publicPartOf } from '../../../src/security/key-file.ts';
import { readOperators } from '../../../src/store/operators.ts';
import { keyFileOf, keyOwner } from '../../fakes/key-owners.ts';
import { MemoryKeyFiles } from '../../fakes/memory-key-files.ts';
import { refusalOf } from '../security/refusal.ts';

const folder = '/etc/service-mgr/operators.d';
const alice = keyOwner('operator', 'alice');
const watch = keyOwner('monitor', 'watch');
const web1 = keyOwner('agent', 'web1');

function publicFileOf(owner: typeof alice): PublicKeyFile {
  return publicPartOf(keyFileOf(owner));
}

function folderWith(files: Readonly<Record<string, string>>, facts = {}): MemoryKeyFiles {
  const there = new MemoryKeyFiles();
  for (const [name, text] of Object.entries(files))
    there.put(`${folder}/${name}`, text, { mode: 0o644, ...facts });
  return there;
}

const aliceText = printPublicKeyFile(publicFileOf(alice));

describe('the operators in a folder', () => {
  it('are those whose public keys lie there, by their fingerprints', () => {
    const files = folderWith({
      'alice.pub': aliceText,
      'watch.pub': printPublicKeyFile(publicFileOf(watch)),
    });
    const operators = readOperators(files, folder);
    expect([...operators.keys()]).to.deep.equal([alice.fingerprint, watch.fingerprint]);
    expect(operators.get(alice.fingerprint)).to.deep.equal(publicFileOf(alice));
    expect(operators.get(watch.fingerprint)?.kind).to.equal('monitor');
  });

  it('are none where there is no folder, or nothing in it', () => {
    expect(readOperators(new MemoryKeyFiles(), folder).size).to.equal(0);
    expect(readOperators(folderWith({ README: 'put keys here' }), folder).size).to.equal(0);
  });

  it('are read from files of their ending only', () => {
    expect(
      readOperators(folderWith({ 'alice.pub.bak': aliceText, 'alice.txt': aliceText }), folder).size,
    ).to.equal(0);
  });

  it('are no agents and no managers', () => {
    const text = printPublicKeyFile(publicFileOf(web1));
    for (const [kind, written] of [
      ['agent', text],
      ['manager', text.replace('kind = agent', 'kind = manager')],
    ] as const) {
      const { code, message } = refusalOf(() => readOperators(folderWith({ 'web1.pub': written }), folder));
      expect([code, message]).to.deep.equal([
        'BAD_CONFIG',
        `${folder}/web1.pub: kind is ${kind}, expected operator or monitor`,
      ]);
    }
  });

  for (const [what, facts] of Object.entries({
    'the group can write': { mode: 0o664 },
    'everybody can write': { mode: 0o646 },
    'somebody else owns': { uid: 4_711 },
    'is a link': { isSymlink: true, isFile: false },
  }))
    it(`are refused as a whole when there is a file among them that ${what}`, () => {
      const files = folderWith({ 'alice.pub': aliceText }, facts);
      files.put(`${folder}/watch.pub`, printPublicKeyFile(publicFileOf(watch)), { mode: 0o644 });
      const { code, message } = refusalOf(() => readOperators(files, folder));
      expect(code).to.equal('BAD_CONFIG');
      expect(message).to.include(`${folder}/alice.pub`);
    });

  it('are refused when a file is no key, or has a secret in it', () => {
    const secret = `${aliceText}sign_secret = ${alice.sign?.secretKey}\n`;
    for (const text of ['', 'kind = operator\n', secret])
      expect(refusalOf(() => readOperators(folderWith({ 'alice.pub': text }), folder)).code).to.equal(
        'BAD_CONFIG',
      );
  });
});
