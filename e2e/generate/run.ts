// What `npm run generate` runs after the build: writes the references, and publishes what is new in the catalogue.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { printSchema, printSchemaTypes } from '@gatehouse/standalone';
import { generatedFiles } from './generated-files.ts';

const changed: string[] = [];
// Admin holds these two fresh by specs of its own.
const ofAdmin = [
  { path: 'services/admin/schema.graphql', text: printSchema(), frozen: false },
  {
    path: 'services/admin/src/schema/schema.generated.ts',
    text: printSchemaTypes(),
    frozen: false,
  },
];

for (const { path, text, frozen } of [...generatedFiles(), ...ofAdmin]) {
  const file = fileURLToPath(new URL(`../../${path}`, import.meta.url));
  const before = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  if (before === text) continue;
  if (frozen && before !== undefined) {
    changed.push(path);
    continue;
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.log(`wrote ${path}`);
}

for (const path of changed) {
  console.error(
    `${path} is published and would change: put the old shape back, add the new one as the next version`,
  );
}
process.exitCode = changed.length > 0 ? 1 : 0;
