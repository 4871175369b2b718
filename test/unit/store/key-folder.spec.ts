import { expect } from 'chai';
import { newCurveKeys } from '../../../src/security/keys.ts';
import type { KnownManager } from '../../../src/security/known-manager.ts';
import { KeyFolder } from '../../../src/store/key-folder.ts';
import { keyFileOf, keyOwner } from '../../fakes/key-owners.ts';
import { MemoryKeyFiles } from '../../fakes/memory-key-files.ts';
import { refusalOf } from '../security/refusal.ts';

const keyFile = '/state/agent.key';
const nextFile = `${keyFile}.next`;
const managersFolder = '/state/managers';
const web1 = keyFileOf(keyOwner('agent', 'web1'));
const newer = keyFileOf(keyOwner('agent', 'web1'));

function folder(files = new MemoryKeyFiles()) {
  return { files, keys: new KeyFolder({ files, keyFile, kinds: ['agent'], managersFolder }) };
}

describe('the keys in a folder', () => {
  it('are none before they are made', () => {
    const { keys } = folder();
    expect([keys.hasKeys, keys.load(), keys.loadNext(), keys.managers()]).to.deep.equal([
      false,
      undefined,
      undefined,
      [],
    ]);
  });

  it('are found again once they are made, and never overwritten', () => {
    const { keys, files } = folder();
    keys.create(web1);
    expect([keys.hasKeys, keys.keyFile]).to.deep.equal([true, keyFile]);
    expect(keys.load()).to.deep.include({ kind: 'agent', name: 'web1', curve: web1.curve });
    expect(files.files.get(keyFile)).to.include({ mode: 0o600 });
    expect(refusalOf(() => keys.create(newer)).code).to.equal('BAD_CONFIG');
    expect(keys.load()?.curve).to.deep.equal(web1.curve);
  });

  it('are taken away when nobody wants them, but never those of somebody else', () => {
    const { keys } = folder();
    keys.create(web1);
    keys.discard(newer);
    expect(keys.load()?.curve).to.deep.equal(web1.curve);
    keys.discard(web1);
    expect(keys.hasKeys).to.equal(false);
    keys.discard(web1);
  });

  it('are refused when they are of another kind than whoever asks', () => {
    const { keys } = folder();
    keys.create(keyFileOf(keyOwner('operator', 'alice')));
    const { code, message } = refusalOf(() => keys.load());
    expect([code, message]).to.deep.equal(['BAD_CONFIG', `${keyFile}: kind is operator, expected agent`]);
    const people = new KeyFolder({
      ...{ files: new MemoryKeyFiles(), keyFile, managersFolder },
      kinds: ['operator', 'monitor'],
    });
    people.create(web1);
    expect(refusalOf(() => people.load()).message).to.include('expected operator or monitor');
  });

  it('are refused when others can read them, or a link leads to them', () => {
    for (const facts of [{ mode: 0o644 }, { isSymlink: true, isFile: false }]) {
      const { keys, files } = folder();
      keys.create(web1);
      files.put(keyFile, files.files.get(keyFile)?.text ?? '', facts);
      expect(refusalOf(() => keys.load()).code).to.equal('BAD_CONFIG');
    }
  });
});

describe('the next keys in a folder', () => {
  it('wait beside the present ones, and take their place with mode and owner', () => {
    const { keys, files } = folder();
    keys.create(web1);
    files.put(keyFile, files.files.get(keyFile)?.text ?? '', { mode: 0o400, uid: 0 });
    keys.createNext(newer);
    expect([keys.load()?.curve, keys.loadNext()?.curve]).to.deep.equal([web1.curve, newer.curve]);
    keys.promoteNext();
    expect([keys.load()?.curve, keys.loadNext()]).to.deep.equal([newer.curve, undefined]);
    expect(files.files.get(keyFile)).to.include({ mode: 0o400, uid: 0 });
  });

  it('are not made when others wait already: those may be known to a manager', () => {
    const { keys } = folder();
    keys.create(web1);
    keys.createNext(newer);
    expect(refusalOf(() => keys.createNext(web1)).code).to.equal('BAD_CONFIG');
    expect(keys.loadNext()?.curve).to.deep.equal(newer.curve);
  });

  it('can take their place once more when that was cut off', () => {
    const { keys, files } = folder();
    keys.create(web1);
    keys.createNext(newer);
    const left = files.files.get(nextFile)?.text ?? '';
    keys.promoteNext();
    files.put(nextFile, left);
    keys.promoteNext();
    expect([keys.load()?.curve, keys.loadNext()]).to.deep.equal([newer.curve, undefined]);
  });

  it('change nothing when there are none', () => {
    const { keys } = folder();
    keys.create(web1);
    expect(refusalOf(() => keys.promoteNext()).code).to.equal('BAD_CONFIG');
    expect(keys.load()?.curve).to.deep.equal(web1.curve);
  });
});

describe('the managers that were joined', () => {
  const manager = (name: string): KnownManager => ({
    name,
    key: newCurveKeys().publicKey,
    endpoints: { join: `tcp://${name}:5850`, frontend: undefined, backend: undefined, sink: undefined },
  });

  it('are found again by name, each in a file of its own that all may read', () => {
    const { keys, files } = folder();
    const [east, west] = [manager('east'), manager('west')];
    for (const one of [west, east]) keys.keepManager(one);
    expect(keys.managers()).to.deep.equal([east, west]);
    expect(files.files.get(`${managersFolder}/east.manager`)).to.include({ mode: 0o644 });
  });

  it('are known by what was learned of them last', () => {
    const { keys } = folder();
    const [before, after] = [manager('east'), manager('east')];
    keys.keepManager(before);
    keys.keepManager(after);
    expect(keys.managers()).to.deep.equal([after]);
  });

  it('are read from files of their own ending only', () => {
    const { keys, files } = folder();
    keys.keepManager(manager('east'));
    files.put(`${managersFolder}/east.manager.4711`, 'half of one');
    files.put(`${managersFolder}/README`, 'nothing');
    expect(keys.managers().map(({ name }) => name)).to.deep.equal(['east']);
  });

  it('are refused when one of them is wrong, or could be changed by others', () => {
    const { keys, files } = folder();
    keys.keepManager(manager('east'));
    const file = `${managersFolder}/west.manager`;
    files.put(file, 'name = west\n', { mode: 0o644 });
    expect(refusalOf(() => keys.managers()).message).to.include(`${file}:`);
    files.put(file, files.files.get(`${managersFolder}/east.manager`)?.text ?? '', { mode: 0o666 });
    expect(refusalOf(() => keys.managers()).code).to.equal('BAD_CONFIG');
  });
});
