/** The run kit, published as `pullcord/run`: what plugins that call agents share. */
export { type AgentCall, type AgentCalls, AgentClient, type AgentClientOptions } from './agent-client.ts';
export { checked, notUtf8, type ParsedAgentJson, parseAgentJson, parsed, textOf } from './agent-json.ts';
export { AgentResponse } from './agent-response.ts';
export { AgentAttempt, attempt, resultOf, settle } from './attempt.ts';
export { type Answer, type Conclude, createConclusion } from './conclude.ts';
export { Conversation } from './conversation.ts';
export { baseEnvironment, type Environment, environmentProblems, runEnvironment } from './environment.ts';
export { type AgentEvent, EventStream, eventsOf, type Resumption } from './event-stream.ts';
export { AgentFault, aborted, failed, failureOf, failureOfStatus, isTransient, withDetail } from './failures.ts';
export { exactInput, instructionOf, sentMembers } from './input.ts';
export { createMapping, createObjectMapping, createTemplate, type Mapped, type Mapping } from './mapping.ts';
export { countIn, idIn, isObject, membersOf } from './members.ts';
export { type CheckedOptions, namedInLowerCase, optionProblems, pointerTo } from './option-problems.ts';
export { type PollOptions, pause, poll, type Seen, within } from './poll.ts';
export { findProgram, type Program, type ProgramOptions } from './program.ts';
export { type PromptOptions, prompt } from './prompt.ts';
export { createUsageReader, type UsageReader } from './usage.ts';
