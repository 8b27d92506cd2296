// Runs dependency-cruiser over src/ with the rules of layers.mjs. Fails also when it saw too few modules: with a compiler
// it cannot load it would check nothing and still exit 0.
import { readdirSync } from 'node:fs';
import { cruise } from 'dependency-cruiser';
import { forbidden } from './layers.mjs';

const files = readdirSync('src', { recursive: true }).filter((name) => name.endsWith('.ts') || name.endsWith('.tsx'));
const { output } = await cruise(['src'], {
  validate: true,
  ruleSet: { forbidden },
  tsPreCompilationDeps: true,
  enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js'] },
});
const modules = output.modules.filter((module) => module.source.startsWith('src/')).length;
for (const { rule, from, to } of output.summary.violations) console.error(`${rule.name}: ${from} -> ${to}`);
if (modules < files.length) {
  console.error(`dependency-cruiser saw ${modules} of ${files.length} modules: the check is not to be trusted`);
  process.exit(1);
}
console.log(
  `layers: ${modules} modules, ${output.summary.totalDependenciesCruised} imports, ${output.summary.error} errors`,
);
process.exit(output.summary.error > 0 ? 1 : 0);
