import { expect } from 'chai';
import { parseTarget } from '../../../src/core/target-parser.ts';
import { formatTarget } from '../../../src/core/target-text.ts';

describe('a target as text', () => {
  const examples: ReadonlyArray<[what: string, text: string, printed: string]> = [
    ['has one blank where one is needed', ' a  AND(not  b , c)', 'a and not b,c'],
    ['has parentheses only where they mean something', '((a) and (b,c)) or (not (d))', 'a and b,c or not d'],
    ['keeps those that do', 'not (a or b) and (c or d)', 'not (a or b) and (c or d)'],
    ['keeps groups of one operator', '(a or b) or (c and (d and e))', '(a or b) or c and (d and e)'],
    ['has quotes only where they are needed', `'a' or "rack 7" or 'or'`, `a or 'rack 7' or 'or'`],
    ['quotes what would be a glob, a list or a group', `"w*","w?","a,b","(a)"`, `'w*','w?','a,b','(a)'`],
    ['takes the quotes that need no doubling', `'it''s'`, `"it's"`],
    ['doubles quotes where there are both', `"a'b""c"`, `'a''b"c'`],
    ['keeps brackets and globs as they are written', 'web[1, 3-4],db[1-2]*', 'web[1,3-4],db[1-2]*'],
  ];
  for (const [what, text, printed] of examples) {
    it(what, () => expect(formatTarget(parseTarget(text))).to.equal(printed));
  }
});
