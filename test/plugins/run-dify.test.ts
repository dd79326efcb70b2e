// One process for all of them: each that is started loads the same modules.
import './dify/promises.ts';
import './dify/conversations.ts';
import './dify/requests.ts';
import './dify/answers.ts';
import './dify/failures.ts';
import './dify/stopping.ts';
import './dify/options.ts';
