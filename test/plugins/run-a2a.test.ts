// One process for all of them: the SDK and its server take long to load.
import './a2a/conversations.ts';
import './a2a/tasks.ts';
import './a2a/cancellation.ts';
import './a2a/card.ts';
import './a2a/failures.ts';
import './a2a/promises.ts';
import './a2a/options.ts';
import './a2a/text.ts';
