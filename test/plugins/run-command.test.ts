// One process for all of them: each that is started loads the same modules.
import './command/promises.ts';
import './command/outputs.ts';
import './command/streams.ts';
import './command/program.ts';
import './command/failures.ts';
import './command/processes.ts';
import './command/options.ts';
import './command/example-agents.ts';
