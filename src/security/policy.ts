import { readOnlyActions } from '../wire/fields.ts';
import type { RequestBody } from '../wire/request.ts';
import { matchesPattern, namesOfService } from './service-pattern.ts';

/** In whose name something is asked: `manager` where an agent trusts its manager and knows nothing of operators. */
export const askerRoles = ['operator', 'monitor', 'manager'] as const;
export type AskerRole = (typeof askerRoles)[number];

export interface Asker {
  readonly role: AskerRole;
  readonly name: string;
}

/** One rule. docs/FORMATS.md has its grammar. */
export interface Rule {
  readonly verb: 'allow' | 'deny';
  readonly who: Who;
  /** Names, `*` for all, `@read` for those that only look. */
  readonly actions: readonly string[];
  /** Names in which `*` stands for any characters. */
  readonly services: readonly string[];
  /** Whom it is about; undefined: wherever it is. What it means is known to whoever asks. */
  readonly target?: string | undefined;
  /** As it was written, in one line and without needless blanks. */
  readonly text: string;
  /** Where it was written; undefined for a rule that holds because there is none. */
  readonly line?: number | undefined;
}

/** Everybody, everybody of a role, or one of a role. */
export interface Who {
  readonly role?: AskerRole | undefined;
  readonly name?: string | undefined;
}

export interface Policy {
  readonly rules: readonly Rule[];
}

export interface Question {
  readonly asker: Asker;
  readonly action: string;
  readonly service: string;
  /** Whether the node that is asked about is in the target of a rule. */
  readonly isAt: (target: string) => boolean;
}

export interface Decision {
  readonly isAllowed: boolean;
  /** The rule that decided; undefined: nothing allows it. */
  readonly rule: Rule | undefined;
}

/** Holds where no rule of a policy allows anything: a policy of denials takes something away from this. */
export const defaultRules: readonly Rule[] = [
  standing('operator', '*'),
  standing('manager', '*'),
  standing('monitor', '@read'),
];

/**
 * Deny wins, wherever it stands. Then the first rule that allows it does. A policy that allows something allows nothing
 * else; one that allows nothing leaves the default rules as they are.
 */
export function decide(policy: Policy, question: Question): Decision {
  const isMeant = meantBy(question);
  const denied = policy.rules.find((rule) => rule.verb === 'deny' && isMeant(rule));
  if (denied !== undefined) return { isAllowed: false, rule: denied };
  const rule = allowing(policy).find(isMeant);
  return { isAllowed: rule !== undefined, rule };
}

/** A health check runs a program of the node or makes a connection there, so it is an action of its own. */
export const healthAction = 'health';

/** What a policy is asked of a request: its action, and the check that is to follow it. */
export function actionsOf({ cmd, health }: Pick<RequestBody, 'cmd' | 'health'>): readonly string[] {
  return health === undefined ? [cmd] : [cmd, healthAction];
}

/** Whether a rule about this asks where it is: if none does, the decision is the same everywhere. */
export function isAboutPlaces(policy: Policy, question: Omit<Question, 'isAt'>): boolean {
  const isMeant = meantBy({ ...question, isAt: () => true });
  return [...policy.rules, ...allowing(policy)].some((rule) => rule.target !== undefined && isMeant(rule));
}

/** The same for a refusal: what is refused, where it is not the action itself. */
export function describeDenial(action: string, decision: Decision): string {
  return (action === healthAction ? 'health check ' : '') + describeDecision(decision);
}

/** One sentence for the ledger, the log and the operator. */
export function describeDecision({ isAllowed, rule }: Decision): string {
  if (rule === undefined) return 'refused: no rule allows it';
  return `${isAllowed ? 'allowed' : 'refused'} by ${placeOf(rule)}: ${rule.text}`;
}

/** The decision, and below it each other rule that is about this question. */
export function explain(policy: Policy, question: Question): string {
  const decision = decide(policy, question);
  const denials = policy.rules.filter(({ verb }) => verb === 'deny');
  const isMeant = meantBy(question);
  const others = [...denials, ...allowing(policy)].filter((rule) => rule !== decision.rule && isMeant(rule));
  const lines = others.map((rule) => `also matches ${placeOf(rule)}: ${rule.text}`);
  return [describeDecision(decision), ...lines].join('\n');
}

function allowing({ rules }: Policy): readonly Rule[] {
  const own = rules.filter(({ verb }) => verb === 'allow');
  return own.length > 0 ? own : defaultRules;
}

/** Whether a rule is about the question. What is asked of thousands of nodes and hundreds of rules is worked out once. */
function meantBy({ asker, action, service, isAt }: Question): (rule: Rule) => boolean {
  const names = namesOfService(service);
  return ({ who, actions, services, target }) => {
    if (who.role !== undefined && who.role !== asker.role) return false;
    if (who.name !== undefined && who.name !== asker.name) return false;
    if (!actions.some((known) => isAction(known, action))) return false;
    if (!services.some((pattern) => names.some((name) => matchesPattern(pattern, name)))) return false;
    return target === undefined || isAt(target);
  };
}

function isAction(known: string, action: string): boolean {
  return known === '*' || known === action || (known === '@read' && readOnlyActions.has(action));
}

function placeOf({ line }: Rule): string {
  return line === undefined ? 'the default' : `line ${line}`;
}

function standing(role: AskerRole, action: string): Rule {
  return {
    verb: 'allow',
    who: { role },
    actions: [action],
    services: ['*'],
    text: `allow ${role} ${action} *`,
  };
}
