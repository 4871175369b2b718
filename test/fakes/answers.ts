import { Answer } from '../../src/wire/result.ts';

const uuid = '0123456789abcdef0123456789abcdef';

/** A good answer to `status`, with what a test wants different. */
export function statusAnswer(node: string, changes: Readonly<Record<string, unknown>> = {}): Answer {
  const result = {
    node,
    returncode: 0,
    service: 'nginx',
    stdout: '',
    stderr: '',
    system: 'Linux',
    version: '#1 SMP',
    state: 'running',
    durationMs: 35,
  };
  return Answer.parse({ msg: 'Executed service status request', result: { ...result, ...changes }, uuid });
}

/** A good answer to `start`, after which nothing is known of the state. */
export function startAnswer(node: string, changes: Readonly<Record<string, unknown>> = {}): Answer {
  return Answer.parse({
    ...statusAnswer(node, { state: 'unknown', ...changes }),
    msg: 'Executed service start request',
  });
}

export function troubleAnswer(node: string | undefined, code: string, msg: string): Answer {
  return Answer.parse({ success: -1, msg, ...(node === undefined ? {} : { node }), uuid, code });
}

/** Colours, moves, an 8-bit control, a title, a bell, and text that runs backwards. */
export const hostileText = '\u001b[31mred\u001b[2J\u009b1A\u001b]0;title\u0007\u0000\u007f\u202egnp.exe';
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
export const terminalControls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;
