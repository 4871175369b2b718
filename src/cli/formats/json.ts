import type { Answer } from '../../wire/result.ts';
import { printableJson } from './printable.ts';

/** The 2014 shape: one array, indented by four, each answer as it came. */
export function formatJson(answers: readonly Answer[]): string {
  return `${printableJson(JSON.stringify(answers, null, 4))}\n`;
}
