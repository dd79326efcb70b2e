import alertTest from '../../schemas/source/alert-test.schema.json' with { type: 'json' };
import apiKey from '../../schemas/source/api-key.schema.json' with { type: 'json' };
import gateway from '../../schemas/source/gateway.schema.json' with { type: 'json' };
import prices from '../../schemas/source/prices.schema.json' with { type: 'json' };
import project from '../../schemas/source/project.schema.json' with { type: 'json' };
import stage from '../../schemas/source/stage.schema.json' with { type: 'json' };
import trigger from '../../schemas/source/trigger.schema.json' with { type: 'json' };
import triggerTest from '../../schemas/source/trigger-test.schema.json' with { type: 'json' };
import { withInherited, withStageForms } from './stage-schemas.ts';

/** The schema that the others share: uses of plugins, and the parts of a trigger, each a definition. */
export const stageSchema = withInherited(withStageForms(stage));

/** The schemas of config files: the hand-written ones, with what the table of stages adds to them. */
export const documentSchemas = {
  Gateway: withInherited(gateway),
  ApiKey: apiKey,
  Project: project,
  Trigger: withInherited(trigger),
  TriggerTest: triggerTest,
  AlertTest: alertTest,
  Prices: prices,
} as const;
