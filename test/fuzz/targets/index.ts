import type { Target } from '../engine/target.ts';
import { a2a, mcp, mcpHeaders } from './agent-protocols.ts';
import { agentJson, dify, eventStream, httpAnswer, langGraph, openAi } from './agents.ts';
import { credentials, publicKeys, webhookSignatures } from './auth.ts';
import { bodyText, requestBody } from './bodies.ts';
import { config, yaml } from './config.ts';
import { configFolder } from './config-folder.ts';
import { configValues } from './config-values.ts';
import { commandLine, exportedRequest, journal } from './files.ts';
import { filter, mapping, template } from './filters.ts';
import { adminListener, publicListener } from './gateway.ts';
import { headers, listFilter, route } from './http-values.ts';
import { jsonSchema } from './json-schemas.ts';
import { pipeline } from './pipeline.ts';

/** All that reads untrusted data: of callers, agents, config files, and files that commands are given. */
export const targets: readonly Target[] = [
  ...[requestBody, bodyText, route, headers, credentials, webhookSignatures, publicKeys],
  ...[filter, template, mapping, jsonSchema, pipeline, publicListener, adminListener],
  ...[agentJson, httpAnswer, eventStream, openAi, dify, langGraph, a2a, mcp, mcpHeaders],
  ...[yaml, config, configFolder, configValues],
  ...[exportedRequest, commandLine, listFilter, journal],
];
