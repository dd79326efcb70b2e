// One process for all of them: the SDK and its server take long to load.
import './mcp/tools.ts';
import './mcp/http.ts';
import './mcp/program.ts';
import './mcp/promises.ts';
import './mcp/options.ts';
