/** How a value is written in a file, and what it becomes. */
export interface Format<T> {
  /** Completes "expected ..." in messages and man pages. */
  readonly expected: string;
  /** Undefined when the text is not of this format. An empty text is a value like any other. */
  readonly parse: (text: string) => T | undefined;
}

/** One key of a configuration file. Reader, examples in conf/ and man pages all go by this declaration. */
export interface Key<T> extends Format<T> {
  readonly section: string;
  readonly key: string;
  readonly isRequired: boolean;
  /** Written as it would stand in the file, and read by the same parser. */
  readonly fallback: string | undefined;
  /** One sentence for the admin. */
  readonly summary: string;
}

/** Where almost every key stands. */
export const mainSection = 'Default';

export function requiredKey<T>(key: string, format: Format<T>, summary: string): Key<T> {
  return { ...format, section: mainSection, key, isRequired: true, fallback: undefined, summary };
}

export function optionalKey<T>(
  key: string,
  format: Format<T>,
  fallback: string | undefined,
  summary: string,
  section = mainSection,
): Key<T> {
  return { ...format, section, key, isRequired: false, fallback, summary };
}

/**
 * A section whose keys the admin names: [health]. Where `section` ends in a colon, each section that begins so is one,
 * and what stands behind the colon is its title: [bundle:NAME].
 */
export interface FreeSection<T> {
  readonly section: string;
  readonly titles?: Format<string>;
  readonly names: Format<string>;
  readonly values: Format<T>;
  /** One sentence for the admin. */
  readonly summary: string;
}
