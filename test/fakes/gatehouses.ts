import { Gatehouse, type ManagerSecurity } from '../../src/manager/gatehouse.ts';
import type { KeptKeys, KeyKeeper } from '../../src/manager/own-keys.ts';
import { fingerprintOf } from '../../src/security/fingerprint.ts';
import type { TokenEntry } from '../../src/security/join-tokens.ts';
import { type CurveKeys, newCurveKeys } from '../../src/security/keys.ts';
import { Auditor } from '../../src/store/auditor.ts';
import { ServiceManagerError } from '../../src/wire/errors.ts';
import type { NodeName } from '../../src/wire/fields.ts';
import { type KeyOwner, keyEntryOf } from './key-owners.ts';
import { ManualClock } from './manual-clock.ts';
import { RecordedAudit } from './recorded-audit.ts';
import { RecordedKeyStore } from './recorded-key-store.ts';
import { RecordedLog } from './recorded-log.ts';

/** Keeps the keys of a manager, and says what it was told. */
export class RecordedKeeper implements KeyKeeper {
  readonly calls: string[] = [];
  isFailing = false;

  keepNext({ publicKey }: CurveKeys, switchesWallMs: number): void {
    this.#note(`next ${publicKey} at ${switchesWallMs}`);
  }

  promoteNext(): void {
    this.#note('promote');
  }

  #note(call: string): void {
    if (this.isFailing) throw new ServiceManagerError('BAD_CONFIG', 'the folder cannot be written');
    this.calls.push(call);
  }
}

/** A gatehouse, and all that a test wants to see of what it does. */
export class TestGate {
  readonly clock = new ManualClock();
  readonly log = new RecordedLog();
  readonly audit = new RecordedAudit();
  readonly auditor = new Auditor(this.audit, this.log, this.clock);
  readonly keeper = new RecordedKeeper();
  readonly store: RecordedKeyStore;
  readonly security: ManagerSecurity;
  readonly gate: Gatehouse;
  /** What it could not go on with. */
  readonly failures: unknown[] = [];
  #tokens = 0;

  /** `known`: whom the manager has accepted. */
  constructor(
    known: readonly KeyOwner[] = [],
    change: Partial<ManagerSecurity> = {},
    tokens: readonly TokenEntry[] = [],
  ) {
    const { clock, log, auditor, keeper } = this;
    this.store = new RecordedKeyStore(
      known.map((owner) => keyEntryOf(owner)),
      tokens,
    );
    const keys: KeptKeys = { current: newCurveKeys() };
    this.security = {
      ...{ name: 'manager1' as NodeName, keys, keeper, store: this.store, policy: { rules: [] } },
      ...{ limits: { requestsPerSecond: 10, openRequests: 2 }, maxPending: 5, maxConnections: 50 },
      ...{ joinEndpoint: 'tcp://*:5850', newCurveKeys, newToken: () => this.#newToken() },
      ...change,
    };
    this.gate = new Gatehouse(this.security, {
      ...{ clock, log, auditor },
      fail: (error) => this.failures.push(error),
    });
  }

  /** What logs and lists call the manager. */
  get ownFingerprint(): string {
    return fingerprintOf({ curve: this.gate.own.current.publicKey });
  }

  /** Lets the time pass, second by second as the loop of a manager does. */
  pass(ms: number): void {
    for (let leftMs = ms; leftMs > 0; leftMs -= 1_000) {
      this.clock.advance(Math.min(1_000, leftMs));
      this.gate.tick(this.clock.now());
    }
  }

  #newToken() {
    this.#tokens += 1;
    return { id: String(this.#tokens).padStart(16, '0'), secret: Buffer.alloc(24, this.#tokens) };
  }
}
