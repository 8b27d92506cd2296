/** Installs every program of the interop suite that is not in its cache yet, and prints the version of each. */
import { GO_PROGRAMS, goProgram } from './go-program.ts';
import { kustoFaults } from './kusto.ts';
import { deployTools, pythonWithPackages, pythonWithSigma } from './python.ts';

for (const name of GO_PROGRAMS) await goProgram(name);
await pythonWithPackages();
await pythonWithSigma();
await kustoFaults();
await deployTools();
