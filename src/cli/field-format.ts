interface FieldSchema {
  readonly description?: string;
  readonly pattern?: unknown;
}

/** What the message takes is what the command line takes; without its compiled checker, which would take time to make. */
export function fieldFormat({ description = 'another value', pattern }: FieldSchema) {
  const isGood = new RegExp(String(pattern));
  return { expected: description, parse: (text: string) => (isGood.test(text) ? text : undefined) };
}
