import type { Answer } from '../../wire/result.ts';
import { printableJson } from './printable.ts';

/** One answer as one line of JSON, with its line end: print it as soon as the answer is there. */
export function formatAnswerLine(answer: Answer): string {
  return `${printableJson(JSON.stringify(answer))}\n`;
}

export function formatNdjson(answers: readonly Answer[]): string {
  return answers.map(formatAnswerLine).join('');
}
