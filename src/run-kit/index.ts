/** The run kit, published as `pullcord/run`: what plugins that call agents share. */
export {
  type AgentCall,
  AgentClient,
  type AgentResponse,
  failureOfStatus,
  isTransient,
  parsed,
} from './agent-client.ts';
export { type ParsedAgentJson, parseAgentJson } from './agent-json.ts';
export { AgentAttempt, AgentFault, attempt, failed, failureOf, poll, resultOf, type Seen } from './attempt.ts';
export { type Answer, createConclusion } from './conclude.ts';
export { EventStream, eventsOf } from './event-stream.ts';
export { createMapping, createObjectMapping, createTemplate, type Mapped, type Mapping } from './mapping.ts';
export { countIn, idIn, isObject, membersOf } from './members.ts';
export { targetUrl } from './target-url.ts';
