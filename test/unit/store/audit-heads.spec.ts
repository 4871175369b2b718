import { expect } from 'chai';
import { nextLine } from '../../../src/security/audit-chain.ts';
import { type AuditHeads, FileHeads, SettingHeads } from '../../../src/store/audit-heads.ts';
import { MemoryStore } from '../../../src/store/memory-store.ts';
import { ServiceManagerError } from '../../../src/wire/errors.ts';
import { MemoryKeyFiles } from '../../fakes/memory-key-files.ts';
import { refusalOf } from '../security/refusal.ts';

const path = '/var/lib/service-mgr/audit.head';
const { head } = nextLine({ sequence: 41, hash: 'a'.repeat(64) }, { timeMs: 0, event: 'x', fields: {} });

function inSetting() {
  const store = new MemoryStore();
  return { heads: new SettingHeads(store), spoil: (text: string) => store.setSetting('audit head', text) };
}

function inFile() {
  const files = new MemoryKeyFiles();
  return {
    heads: new FileHeads(files, path),
    spoil: (text: string) => files.put(path, text, { mode: 0o644 }),
  };
}

for (const [name, open] of Object.entries({ SettingHeads: inSetting, FileHeads: inFile })) {
  describe(`the head of an audit log in ${name}`, () => {
    let heads: AuditHeads;
    let spoil: (text: string) => void;

    beforeEach(() => {
      ({ heads, spoil } = open());
    });

    it('is the last one that was saved, or none', () => {
      expect(heads.load()).to.equal(undefined);
      heads.save({ sequence: 0, hash: '0'.repeat(64) });
      heads.save(head);
      expect(heads.load()).to.deep.equal(head);
    });

    for (const text of [
      '',
      '42',
      `42  ${head.hash}`,
      `-1 ${head.hash}`,
      `42 ${head.hash}0`,
      `042 ${head.hash}`,
    ]) {
      it(`is refused when it is '${text.slice(0, 12)}'`, () => {
        spoil(text);
        const { code, message } = refusalOf(() => heads.load());
        expect(code).to.equal('BAD_CONFIG');
        expect(message).to.include('expected the head of an audit log');
      });
    }
  });
}

describe('the head of an audit log in FileHeads', () => {
  it('is refused when others may change it', () => {
    const files = new MemoryKeyFiles();
    const heads = new FileHeads(files, path);
    heads.save(head);
    files.put(path, files.readPublic(path), { mode: 0o666 });
    expect(refusalOf(() => heads.load()).message).to.include('others may change it');
  });

  it('fails as a store does when it cannot be written', () => {
    const files = new MemoryKeyFiles();
    files.writePublic = () => {
      throw new ServiceManagerError('BAD_CONFIG', `${path}: cannot be written (ENOSPC)`);
    };
    const { code, message } = refusalOf(() => new FileHeads(files, path).save(head));
    expect({ code, message }).to.deep.equal({
      code: 'STORE_UNUSABLE',
      message: `${path}: cannot be written (ENOSPC)`,
    });
  });
});
