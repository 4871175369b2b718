/** Stands in the templates where a message has its request's id. */
const placeholder = '0'.repeat(32);

const body = `{"id":"${placeholder}","cmd":"status","topic":"any","service":"noop","windowMs":5000}`;
const request = { cmd: 'status', topic: 'any', service: 'noop', v: 2, body, signature: '' };
const result = {
  node: 'noop',
  returncode: 0,
  service: 'noop',
  stdout: '',
  stderr: '',
  system: 'Linux',
  version: '#1 SMP PREEMPT_DYNAMIC',
  state: 'running',
  provider: 'no-op',
  durationMs: 0,
};

/** One message of each hop, byte for byte as our programs send it; written out here, so that no code of ours is in it. */
export const templates = {
  request: frames('', JSON.stringify(request)),
  reply: frames('', `{"uuid":"${placeholder}","port":55555,"v":2,"expected":1,"withheld":0}`),
  dispatch: frames('\x02any\x00', `{"v":2,"type":"request","id":"${placeholder}"}`, body, ''),
  result: frames('result', placeholder, 'noop', '1000', answer(), ''),
  end: frames(
    `end/${placeholder}`,
    `{"uuid":"${placeholder}","expected":1,"answered":1,"withheld":0,"complete":true}`,
  ),
};

function answer(): string {
  return JSON.stringify({ msg: 'Executed service status request', result, uuid: placeholder });
}

function frames(...texts: readonly string[]): Buffer[] {
  return texts.map((text) => Buffer.from(text));
}

/** The same bytes with another id in place of the placeholder. */
export function stamp(template: readonly Buffer[], id: string): Buffer[] {
  return template.map((frame) => {
    const at = frame.indexOf(placeholder);
    if (at < 0) return frame;
    const stamped = Buffer.from(frame);
    stamped.write(id, at, 'latin1');
    return stamped;
  });
}

/** The id in a second frame that was stamped. */
export function idIn(message: readonly Buffer[], template: readonly Buffer[]): string {
  const at = template[1]?.indexOf(placeholder) ?? 0;
  return message[1]?.toString('latin1', at, at + placeholder.length) ?? '';
}
