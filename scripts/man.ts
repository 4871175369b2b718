// Writes the man pages of man/ from their templates and the code.
import { writeFileSync } from 'node:fs';
import { manFolder, manPages } from './man/pages.ts';

for (const [name, text] of await manPages()) writeFileSync(new URL(name, manFolder), text);
