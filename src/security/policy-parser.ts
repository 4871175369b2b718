import { isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import { ActionName, actions as usualActions } from '../wire/fields.ts';
import { isKeyName } from './key-file.ts';
import { type AskerRole, askerRoles, healthAction, type Policy, type Rule, type Who } from './policy.ts';

/** What a policy may hold at most, so that a decision costs little. */
export const policyLimits = {
  characters: 262_144,
  rules: 1_000,
  lineCharacters: 4_096,
  /** Actions or services in one rule. */
  listed: 100,
} as const;

export interface PolicySource {
  readonly fileName: string;
  /** Throws BAD_TARGET when the text is no target. */
  checkTarget(target: string): void;
  /** The actions that the host knows beside the usual ones; undefined where that is not known, so any name may be one. */
  readonly extraActions?: readonly string[] | undefined;
}

const mostProblems = 20;

/**
 * One rule a line; empty lines and lines that begin with `#` or `;` say nothing. Throws BAD_CONFIG with everything that is
 * wrong, each with file, line and column, the line, and a caret below the place.
 */
export function parsePolicy(text: string, source: PolicySource): Policy {
  const { characters } = policyLimits;
  if (text.length > characters) throw badConfig(`${source.fileName}: longer than ${characters} characters`);
  const rules: Rule[] = [];
  const problems: string[] = [];
  for (const [index, content] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .entries()) {
    if (/^[ \t]*(?:[#;]|$)/.test(content)) continue;
    if (problems.length >= mostProblems) break;
    try {
      if (rules.length >= policyLimits.rules) throw new Trouble(0, `more than ${policyLimits.rules} rules`);
      rules.push(new RuleParser(content, index + 1, source).parse());
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      problems.push(problem(source.fileName, index + 1, content, error));
    }
  }
  if (problems.length > 0) throw badConfig(problems.join('\n'));
  return { rules };
}

interface Word {
  readonly text: string;
  readonly at: number;
}

/** What is wrong with a line, and where in it. */
class Trouble extends Error {
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

const grammar = 'allow|deny [WHO] ACTION[,ACTION...] SERVICE[,SERVICE...] [at TARGET]';
const actionForm = new RegExp(String(ActionName['pattern']));
const serviceForm = /^[A-Za-z0-9@_*][A-Za-z0-9@_.:+*-]{0,254}$/;

function isService(text: string): boolean {
  return serviceForm.test(text);
}

class RuleParser {
  readonly #content: string;
  readonly #line: number;
  readonly #source: PolicySource;

  constructor(content: string, line: number, source: PolicySource) {
    // In the file of an agent it reads `deny = stop sshd`.
    this.#content = content.replace(/^(\s*(?:allow|deny)\s*)=/, '$1 ');
    this.#line = line;
    this.#source = source;
  }

  parse(): Rule {
    const { lineCharacters } = policyLimits;
    if (this.#content.length > lineCharacters)
      throw new Trouble(lineCharacters, `longer than ${lineCharacters} characters`);
    const { words, target } = this.#parts();
    const [first, ...rest] = words;
    const verb = first?.text;
    if (verb !== 'allow' && verb !== 'deny') throw new Trouble(first?.at ?? 0, `expected ${grammar}`);
    const [, , , extra] = rest;
    if (extra !== undefined) throw new Trouble(extra.at, `expected "at" or the end of ${grammar}`);
    const [who, actionWord, serviceWord] = rest.length === 3 ? rest : [undefined, ...rest];
    if (actionWord === undefined || serviceWord === undefined) throw this.#missing(rest.length, target);
    const at = target === undefined ? {} : { target: this.#checkedTarget(target) };
    const written = [
      verb,
      ...rest.map(({ text }) => text),
      ...(at.target === undefined ? [] : ['at', at.target]),
    ];
    return {
      verb,
      who: who === undefined ? {} : readWho(who),
      actions: this.#actions(actionWord, serviceWord),
      services: readList(serviceWord, isService, 'a service name, in which "*" stands for any characters'),
      ...at,
      text: written.join(' '),
      line: this.#line,
    };
  }

  /** A rule with a word too few or in the wrong order would protect nothing, so it is looked for. */
  #actions(word: Word, service: Word): string[] {
    const { extraActions } = this.#source;
    const known = [...usualActions, ...(extraActions ?? [])];
    const isKnown = (action: string) => [...known, '*', '@read', healthAction].includes(action);
    const actions = readList(
      word,
      isAction,
      'an action such as start, "*" for all or "@read" for status and list',
    );
    if (known.includes(service.text) || isRole(word.text))
      throw new Trouble(word.at, `expected the action before the service, as in ${grammar}`);
    const unknown = actions.find((action) => !isKnown(action));
    if (unknown === undefined || extraActions === undefined) return actions;
    throw new Trouble(word.at, `action ${shown(unknown)} is unknown, expected one of ${known.join(', ')}`);
  }

  /** The words before `at`, with a comma and the blanks around it taken as part of one word, and the target behind it. */
  #parts(): { words: Word[]; target: Word | undefined } {
    const words: Word[] = [];
    const scanner = /[^\s,]+|[\s]+|,/gy;
    let isJoined = false;
    for (const { 0: piece, index } of this.#content.matchAll(scanner)) {
      if (piece.trim() === '') continue;
      const last = words.at(-1);
      const isComma = piece === ',';
      if (piece === 'at' && words.length > 1 && !isJoined) return { words, target: this.#behind(index + 2) };
      const isPart = last !== undefined && (isComma || isJoined) && words.length > 1;
      if (isPart) words[words.length - 1] = { text: last.text + piece, at: last.at };
      else words.push({ text: piece, at: index });
      isJoined = isComma;
    }
    return { words, target: undefined };
  }

  #behind(from: number): Word {
    const text = this.#content.slice(from);
    return { text: text.trim(), at: from + (text.length - text.trimStart().length) };
  }

  #missing(found: number, target: Word | undefined): Trouble {
    const what = found === 0 ? 'an action' : 'a service';
    const before = target === undefined ? '' : ' before "at"';
    const place =
      target === undefined ? this.#content.trimEnd().length : this.#content.lastIndexOf('at', target.at - 1);
    return new Trouble(place, `expected ${what}${before}, as in ${grammar}`);
  }

  #checkedTarget({ text, at }: Word): string {
    if (text === '') throw new Trouble(at, 'expected a target behind "at"');
    try {
      this.#source.checkTarget(text);
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      throw new Trouble(at, `the target is wrong: ${error.message.split('\n', 1)[0]}`);
    }
    return text;
  }
}

function readWho({ text, at }: Word): Who {
  if (text === '*') return {};
  const [role = '', name] = splitOnce(text, ':');
  if (!isRole(role) || (name !== undefined && !isKeyName(name))) {
    throw new Trouble(at, `expected who: ${askerRoles.join(', ')}, one of them as in operator:alice, or "*"`);
  }
  return name === undefined ? { role } : { role, name };
}

function readList(word: Word, isGood: (text: string) => boolean, expected: string): string[] {
  const listed = word.text.split(',');
  if (listed.length > policyLimits.listed)
    throw new Trouble(word.at, `more than ${policyLimits.listed} in a list`);
  const wrong = listed.find((text) => !isGood(text));
  if (wrong === undefined) return listed;
  throw new Trouble(
    word.at,
    `${wrong === '' ? 'nothing' : shown(wrong)} stands in a list, expected ${expected}`,
  );
}

function isAction(text: string): boolean {
  return text === '*' || text === '@read' || actionForm.test(text);
}

function isRole(text: string): text is AskerRole {
  return askerRoles.some((role) => role === text);
}

function splitOnce(text: string, mark: string): [string, string | undefined] {
  const found = text.indexOf(mark);
  return found < 0 ? [text, undefined] : [text.slice(0, found), text.slice(found + 1)];
}

const widestText = 70;
// None of them takes one column of one line.
const unshowable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu;

function problem(fileName: string, line: number, content: string, { at, message }: Trouble): string {
  const first = Math.max(0, Math.min(at - widestText / 2, content.length - widestText));
  const text = content.slice(first, first + widestText).replace(unshowable, '\ufffd');
  return `${fileName}:${line}:${at + 1}: ${message}\n  ${text}\n  ${' '.repeat(at - first)}^`;
}

function shown(text: string): string {
  return JSON.stringify(text.length <= widestText ? text : `${text.slice(0, widestText)}...`);
}

function badConfig(message: string): ServiceManagerError {
  return new ServiceManagerError('BAD_CONFIG', message);
}
