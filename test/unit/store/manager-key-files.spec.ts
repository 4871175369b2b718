import { expect } from 'chai';
import type { KeyFiles } from '../../../src/platform/key-files.ts';
import { type CurveKeys, newCurveKeys } from '../../../src/security/keys.ts';
import { type KeySettings, ManagerKeyFiles } from '../../../src/store/manager-key-files.ts';
import { isServiceManagerError, ServiceManagerError } from '../../../src/wire/errors.ts';
import { MemoryKeyFiles } from '../../fakes/memory-key-files.ts';
import { refusalOf } from '../security/refusal.ts';

const keyFile = '/state/manager.key';
const nextFile = `${keyFile}.next`;
const created = '2026-01-01T00:00:00Z';
const first = newCurveKeys();
const second = newCurveKeys();
const third = newCurveKeys();

class Settings implements KeySettings {
  readonly values = new Map<string, string>();

  getSetting(name: string): string | undefined {
    return this.values.get(name);
  }

  setSetting(name: string, value: string): void {
    this.values.set(name, value);
  }
}

function manager(files = new MemoryKeyFiles(), settings = new Settings()) {
  const keys = new ManagerKeyFiles({ files, keyFile });
  if (!keys.hasKeys) keys.create({ kind: 'manager', name: 'manager1', created, curve: first });
  return { files, settings, keys };
}

describe('the key file of a manager', () => {
  it('is made once, and belongs to the user that the manager runs as', () => {
    const files = new MemoryKeyFiles(0, { 'service-mgr': 77 });
    const keys = new ManagerKeyFiles({ files, keyFile, owner: 'service-mgr' });
    expect(keys.hasKeys).to.equal(false);
    expect(refusalOf(() => keys.loadCurrent()).code).to.equal('BAD_CONFIG');
    const made = { kind: 'manager', name: 'manager1', created, curve: first } as const;
    keys.create(made);
    expect(keys.hasKeys).to.equal(true);
    expect(files.files.get(keyFile)).to.include({ uid: 77, mode: 0o600 });
    expect(keys.loadCurrent()).to.deep.include(made);
    expect(refusalOf(() => keys.create(made)).code).to.equal('BAD_CONFIG');
  });

  it('holds the name and the key, and no next one', () => {
    const { keys, settings } = manager();
    expect(keys.load(settings)).to.deep.equal({ name: 'manager1', current: first });
  });

  it('is refused when it is of another kind, or others can read it', () => {
    const { keys, files } = manager();
    const text = files.files.get(keyFile)?.text ?? '';
    files.put(keyFile, text.replace('kind = manager', 'kind = agent'));
    expect(refusalOf(() => keys.loadCurrent()).message).to.equal(
      `${keyFile}: kind is agent, expected manager`,
    );
    files.put(keyFile, text, { mode: 0o640 });
    expect(refusalOf(() => keys.loadCurrent()).code).to.equal('BAD_CONFIG');
  });
});

describe('the next key of a manager', () => {
  it('is found again with the time from which on it is used', () => {
    const { keys, settings, files } = manager();
    keys.keepNext(second, created, 5_000, settings);
    expect(keys.load(settings)).to.deep.equal({
      ...{ name: 'manager1', current: first },
      next: { pair: second, switchesWallMs: 5_000 },
    });
    expect(files.files.get(nextFile)).to.include({ mode: 0o600 });
  });

  it('takes the place of one before', () => {
    const { keys, settings } = manager();
    keys.keepNext(second, created, 5_000, settings);
    keys.keepNext(third, created, 7_000, settings);
    expect(keys.load(settings).next).to.deep.equal({ pair: third, switchesWallMs: 7_000 });
  });

  it('becomes the present one, with mode and owner of that', () => {
    const { keys, settings, files } = manager();
    const text = files.files.get(keyFile)?.text ?? '';
    files.put(keyFile, text, { mode: 0o400 });
    keys.keepNext(second, created, 5_000, settings);
    keys.promoteNext();
    expect(keys.load(settings)).to.deep.equal({ name: 'manager1', current: second });
    expect(files.files.get(keyFile)).to.include({ mode: 0o400 });
    expect(files.files.has(nextFile)).to.equal(false);
  });

  it('is not the present one over again when the manager was killed before the file was removed', () => {
    const { keys, settings, files } = manager();
    keys.keepNext(second, created, 5_000, settings);
    const left = files.files.get(nextFile)?.text ?? '';
    keys.promoteNext();
    files.put(nextFile, left);
    expect(keys.load(settings)).to.deep.equal({ name: 'manager1', current: second });
    keys.keepNext(third, created, 9_000, settings);
    expect(keys.load(settings).next).to.deep.equal({ pair: third, switchesWallMs: 9_000 });
  });

  it('is none when it is not there: nothing changes then', () => {
    const { keys, settings } = manager();
    expect(refusalOf(() => keys.promoteNext()).code).to.equal('BAD_CONFIG');
    expect(keys.load(settings)).to.deep.equal({ name: 'manager1', current: first });
  });

  it('is not used at the time of an earlier one when it could not be noted', () => {
    const { keys, settings } = manager();
    keys.keepNext(second, created, 5_000, settings);
    keys.promoteNext();
    const full: KeySettings = {
      getSetting: (name) => settings.getSetting(name),
      setSetting: () => {
        throw new ServiceManagerError('STORE_UNUSABLE', 'disk full');
      },
    };
    expect(refusalOf(() => keys.keepNext(third, created, 9_000, full)).code).to.equal('STORE_UNUSABLE');
    expect(keys.load(settings)).to.deep.equal({ name: 'manager1', current: second });
  });
});

/** Everything that writes, of files and settings: the one of this number and those behind it do not happen any more. */
function killedAt(number: number, { files, settings }: ReturnType<typeof manager>) {
  let left = number;
  const isOver = () => {
    left -= 1;
    return left < 0;
  };
  const killing = <Outside extends object>(outside: Outside): Outside =>
    new Proxy(outside, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name, target);
        if (typeof method !== 'function') return method;
        return (...args: unknown[]): unknown => {
          if (/^(create|replace|write|remove|set)/.test(String(name)) && isOver())
            throw new ServiceManagerError('BAD_CONFIG', 'killed');
          return Reflect.apply(method, target, args);
        };
      },
    });
  const dying: KeyFiles = killing(files);
  return { keys: new ManagerKeyFiles({ files: dying, keyFile }), settings: killing(settings) };
}

describe('a manager that is killed while it changes its key', () => {
  /** All steps of a rotation that was begun anew before it was through; false once it is killed. */
  function rotate({ keys, settings }: ReturnType<typeof killedAt>): boolean {
    try {
      keys.keepNext(second, created, 5_000, settings);
      keys.keepNext(third, created, 7_000, settings);
      keys.promoteNext();
      return true;
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      return false;
    }
  }

  it('finds itself with a key that it has had or announced, and a next one with its own time', () => {
    const times = new Map<CurveKeys['publicKey'], number>([
      [second.publicKey, 5_000],
      [third.publicKey, 7_000],
    ]);
    let killings = 0;
    for (let isThrough = false; !isThrough; killings += 1) {
      const world = manager();
      isThrough = rotate(killedAt(killings, world));
      const { current, next } = world.keys.load(world.settings);
      expect([first.publicKey, third.publicKey]).to.include(current.publicKey);
      if (next === undefined) continue;
      expect(current).to.deep.equal(first);
      expect(next.switchesWallMs).to.equal(times.get(next.pair.publicKey));
    }
    expect(killings).to.equal(7);
  });

  it('can begin again', () => {
    for (let number = 0; number < 6; number += 1) {
      const world = manager();
      rotate(killedAt(number, world));
      const fourth = newCurveKeys();
      world.keys.keepNext(fourth, created, 9_000, world.settings);
      expect(world.keys.load(world.settings).next).to.deep.equal({ pair: fourth, switchesWallMs: 9_000 });
      world.keys.promoteNext();
      expect(world.keys.load(world.settings)).to.deep.equal({ name: 'manager1', current: fourth });
    }
  });
});
