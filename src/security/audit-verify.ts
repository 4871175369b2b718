import { type AuditHead, type AuditLine, auditStart, readAuditLine } from './audit-chain.ts';

/**
 * What is wrong with the first bad line.
 * `changed`: it is not as it was written. `rewritten`: it is whole, but does not continue the line before, so this one
 * or one before it was written anew. `dropped`: one or more lines before it are nowhere. `reordered`: the line that
 * belongs here stands further down. `repeated`: it stood further up already. `truncated`: the log ends before its head.
 * `appended`: the log goes on behind its head.
 */
export const auditFaults = [
  'changed',
  'rewritten',
  'dropped',
  'reordered',
  'repeated',
  'truncated',
  'appended',
] as const;
export type AuditFault = (typeof auditFaults)[number];

export type AuditVerdict =
  | {
      readonly isIntact: true;
      readonly head: AuditHead;
      /** The sequence number of the first line, where that is not the beginning of the log. */
      readonly first?: number;
    }
  | {
      readonly isIntact: false;
      readonly fault: AuditFault;
      /** Counted from 1 in what was read; that of a truncated log is the one behind its last. */
      readonly lineNumber: number;
      /** The sequence number that belongs on this line. */
      readonly expectedSequence: number;
      /** The one that stands there, if any can be read. */
      readonly foundSequence: number | undefined;
    };

export interface AuditBounds {
  /** The head before the first line, where what is read is not the beginning of the log. */
  readonly from?: AuditHead;
  /**
   * The beginning of the log may have been removed: what the first line says of those before it is taken for true, unless
   * the head says something else. Whoever removes the beginning is not found out then.
   */
  readonly mayBeginLate?: boolean;
  /** The head that was kept elsewhere. Without it, a log that was cut off at its end looks whole. */
  readonly head?: AuditHead;
  /** So many lines may stand behind the head; 0 when missing. For a head that is written after its line. */
  readonly mayLeadBy?: number;
}

type Lines = Iterable<string> | AsyncIterable<string>;

/** Reads the log once, a line at a time, and keeps none: a log of any length takes the same memory. */
export async function verifyChain(lines: Lines, bounds: AuditBounds = {}): Promise<AuditVerdict> {
  const check = new ChainCheck(bounds);
  for await (const line of lines) {
    check.take(line);
    if (check.isDecided) break;
  }
  return check.verdict();
}

/** One sentence for people. */
export function describeAudit(verdict: AuditVerdict): string {
  if (verdict.isIntact) {
    const from = verdict.first === undefined ? '' : `from number ${verdict.first} `;
    return `the log is intact ${from}up to number ${verdict.head.sequence}, head ${verdict.head.hash}`;
  }
  const { fault, lineNumber, expectedSequence, foundSequence } = verdict;
  const found = foundSequence === undefined ? '' : `, and number ${foundSequence} stands there`;
  return `line ${lineNumber} is the first that is wrong: ${faultTexts[fault]}; number ${expectedSequence} belongs there${found}`;
}

const faultTexts: Readonly<Record<AuditFault, string>> = {
  changed: 'it is not as it was written',
  rewritten: 'it does not continue the line before, so this one or one before it was written anew',
  dropped: 'lines before it were dropped',
  reordered: 'lines were put into another order',
  repeated: 'it stood further up already',
  truncated: 'the end of the log was cut off',
  appended: 'the log goes on behind its head',
};

type Bad = Extract<AuditVerdict, { isIntact: false }>;

class ChainCheck {
  readonly #bounds: AuditBounds;
  #head: AuditHead;
  #lineNumber = 0;
  #first: number | undefined;
  #bad: Bad | undefined;
  /** Whether a line further down may still say what became of the one that is missing. */
  #isLookingFor = false;

  constructor(bounds: AuditBounds) {
    this.#bounds = bounds;
    this.#head = bounds.from ?? auditStart;
  }

  get isDecided(): boolean {
    return this.#bad !== undefined && !this.#isLookingFor;
  }

  take(text: string): void {
    this.#lineNumber += 1;
    const line = readAuditLine(text);
    if (this.#isLookingFor) this.#look(line);
    else if (line === undefined) this.#refuse('changed', undefined);
    else {
      if (this.#lineNumber === 1 && this.#bounds.mayBeginLate === true) this.#beginBefore(line);
      this.#follow(line);
    }
  }

  verdict(): AuditVerdict {
    if (this.#bad !== undefined) return this.#bad;
    const { head } = this.#bounds;
    if (head === undefined || this.#head.sequence >= head.sequence)
      return {
        isIntact: true,
        head: this.#head,
        ...(this.#first === undefined ? {} : { first: this.#first }),
      };
    this.#lineNumber += 1;
    return this.#refuse('truncated', undefined);
  }

  #beginBefore({ sequence, prev }: AuditLine): void {
    if (sequence <= this.#head.sequence + 1) return;
    const { head } = this.#bounds;
    this.#first = sequence;
    // The lines behind the head are the newest ones, which nobody removes because they are old.
    this.#head =
      head !== undefined && head.sequence < sequence ? head : { sequence: sequence - 1, hash: prev };
  }

  #follow(line: AuditLine): void {
    const { sequence, hash } = line;
    const expected = this.#head.sequence + 1;
    if (sequence < expected) this.#refuse('repeated', sequence);
    else if (sequence > expected) this.#miss(sequence);
    else if (line.prev !== this.#head.hash) this.#refuse('rewritten', sequence);
    else this.#advance({ sequence, hash });
  }

  #advance(next: AuditHead): void {
    const { head, mayLeadBy = 0 } = this.#bounds;
    if (head?.sequence === next.sequence && head.hash !== next.hash) this.#refuse('rewritten', next.sequence);
    else if (head !== undefined && next.sequence > head.sequence + mayLeadBy)
      this.#refuse('appended', next.sequence);
    else this.#head = next;
  }

  #miss(sequence: number): void {
    this.#refuse('dropped', sequence);
    this.#isLookingFor = true;
  }

  #look(line: AuditLine | undefined): void {
    if (this.#bad === undefined || line?.sequence !== this.#head.sequence + 1) return;
    this.#bad = { ...this.#bad, fault: 'reordered' };
    this.#isLookingFor = false;
  }

  #refuse(fault: AuditFault, foundSequence: number | undefined): Bad {
    const expectedSequence = this.#head.sequence + 1;
    this.#bad = { isIntact: false, fault, lineNumber: this.#lineNumber, expectedSequence, foundSequence };
    return this.#bad;
  }
}
