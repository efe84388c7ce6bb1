// How many finCardOcr results a second json-schema-faker makes.
import { readFileSync } from 'node:fs';
import { createGeneratorSync } from 'json-schema-faker';

const document = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const schema = { $ref: '#/components/schemas/finCardOcr.result', components: document.components };
const generator = createGeneratorSync({ seed: 1 });
const make = () => generator.generate(schema);
for (let warm = 0; warm < 200; warm += 1) make();
const seconds = Number(process.argv[3] ?? 10);
const began = performance.now();
let made = 0;
while (performance.now() - began < seconds * 1000) {
  make();
  made += 1;
}
const rate = Math.round(made / ((performance.now() - began) / 1000));
console.log(`json-schema-faker      ${String(rate).padStart(10)} finCardOcr results a second`);
