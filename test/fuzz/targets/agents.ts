import { AnswerReader } from '../../../plugins/run/dify/answer.ts';
import { interpret } from '../../../plugins/run/http/answer.ts';
import { readState, readStream } from '../../../plugins/run/langgraph/answer.ts';
import { questionIn } from '../../../plugins/run/langgraph/graph-end.ts';
import { lastAnswer, usageOf } from '../../../plugins/run/langgraph/messages.ts';
import { chatApi } from '../../../plugins/run/openai/chat.ts';
import type { Options } from '../../../plugins/run/openai/options.gen.ts';
import { ResponseMemory } from '../../../plugins/run/openai/response-memory.ts';
import { responsesApi } from '../../../plugins/run/openai/responses.ts';
import { eventsOf } from '../../../src/run-kit/event-stream.ts';
import { AgentFault, isObject, parseAgentJson, parsed } from '../../../src/run-kit/index.ts';
import { partsOf } from '../engine/mutate.ts';
import { type OpenTarget, type Outcome, promised, type Target } from '../engine/target.ts';
import { responseOf } from './agent-response.ts';
import { depthOf } from './bodies.ts';

export const jsonSeeds = [
  ...['{"a":[1,"x",null]}', '[]', '"text"', 'null', '{"__proto__":{"a":1}}', '{"a":'],
  `${'['.repeat(199)}1${']'.repeat(199)}`,
];

/** JSON of agents that code may walk without harm, or a fault. */
export const agentJson: Target = {
  name: 'agent-json',
  shape: 'json',
  seeds: () => jsonSeeds,
  open: () => ({
    run(input) {
      const json = parseAgentJson(input.toString());
      if (!json.ok) return { kind: 'refused', code: json.fault };
      promised(depthOf(json.value) <= 201, 'no JSON of an agent is nested deeper than 200 levels');
      return { kind: 'value', code: typeof json.value, size: input.length };
    },
  }),
};

/** An answer to the http plugin: headers a line, then the body. */
export const httpAnswer: Target = {
  name: 'http-answer',
  shape: 'text and json',
  words: [
    'succeeded',
    'input_required',
    'failed',
    '\n',
    'application/json',
    'application/x+json',
    'text/plain',
    '; charset=x',
    'image/png',
  ],
  seeds: () => jsonSeeds.map((json) => `application/json\nsucceeded\n\n${json}`),
  open: () => ({
    run(input) {
      const [head, body] = partsOf(input);
      const [type, outcome] = head.toString('latin1').split('\n');
      return faultOr(() => {
        const headers = { ...(type && { 'content-type': type }), ...(outcome && { 'pullcord-outcome': outcome }) };
        const answer = interpret(body, headers);
        return { kind: 'value', code: `${answer.outcome} ${typeof answer.value}`, size: body.length };
      });
    },
  }),
};

const sseWords = [
  ...[
    'data: ',
    'data:',
    'event: ',
    'id: ',
    'retry: ',
    ':',
    '\n',
    '\r\n',
    '\r',
    '\n\n',
    '\ufeff',
    'data: [DONE]\n\n',
    'event: error\n',
  ],
  ...[
    'event: messages\n',
    'event: values\n',
    'event: end\n',
    'id: \0\n',
    'retry: 99999999999999999999\n',
    'data: {"a":1}\n\n',
  ],
];

/** Server-sent events are the same however their bytes are cut into chunks. */
export const eventStream: Target = {
  name: 'event-stream',
  shape: 'bytes',
  words: sseWords,
  seeds: () => [
    'event: message\ndata: {"a":1}\nid: 7\n\n: comment\n\ndata: two\ndata: lines\n\nretry: 500\n\n',
    '\ufeffdata: bom\r\n\r\ndata\r\rdata: é😀\n\n',
  ],
  open: () => ({
    async run(input) {
      const [whole, cut] = [await eventsIn([input]), await eventsIn(chunksOf(input))];
      promised(whole === cut, 'the events do not depend on how the bytes arrive');
      if (whole.startsWith('fault: ')) return { kind: 'refused', code: whole };
      return { kind: 'value', code: 'events', size: whole.length };
    },
  }),
};

async function eventsIn(chunks: readonly Buffer[]): Promise<string> {
  const resumption = {};
  try {
    const events: unknown[] = [];
    for await (const event of eventsOf(responseOf({}, chunks).body, resumption)) events.push(event);
    return JSON.stringify([events, resumption]);
  } catch (error) {
    if (error instanceof AgentFault) return `fault: ${error.message}`;
    throw error;
  }
}

/** Cuts at places that depend on the bytes alone, so that a find can be repeated. */
function chunksOf(input: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < input.length; ) {
    const length = 1 + ((input[at] ?? 0) % 7);
    chunks.push(input.subarray(at, at + length));
    at += length;
  }
  return chunks;
}

const openAiOptions: Options = {
  ...{
    baseUrl: 'https://agent.example',
    api: 'chat',
    model: 'm',
    headers: {},
    parameters: {},
    stream: true,
    includeUsage: true,
  },
  ...{
    history: { turns: 3, characters: 1000 },
    background: false,
    format: 'text',
    timeout: 1000,
    maxResponse: 1000,
    connections: 1,
  },
};

const chunk = '{"choices":[{"index":0,"delta":{"content":"hi","tool_calls":[]},"finish_reason":null}],"usage":null}';
const completion =
  '{"choices":[{"index":0,"message":{"content":"hi","refusal":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}';
const response =
  '{"id":"resp_1","status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"hi"}]}],"usage":{"input_tokens":1,"output_tokens":2}}';

/** Completions, responses, and what the session remembers of them. Each line is an event. */
export const openAi: Target = {
  name: 'openai-frames',
  shape: 'json',
  words: [
    '"finish_reason":"stop"',
    '"finish_reason":"length"',
    '"type":"response.completed","response":',
    '"status":"incomplete"',
    '\n',
  ],
  seeds: () => [
    ...[
      completion,
      response,
      `${chunk}\n{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}`,
    ],
    `{"type":"response.output_text.delta","delta":"hi"}\n{"type":"response.completed","response":${response}}`,
    ...[
      '{"error":{"code":"rate_limit_exceeded","message":"x"}}',
      '[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]',
    ],
  ],
  open() {
    const apis = [chatApi(openAiOptions), responsesApi(openAiOptions, new ResponseMemory(openAiOptions))];
    return perLine((events) => {
      const codes = apis.flatMap((api) => {
        const turn = api.turn({ system: '', user: 'hello' }, events[0]);
        JSON.stringify(turn.body(true));
        const reading = turn.reading();
        const text = events.map((event) => reading.take(event)).join('');
        const restMs = reading.restMs();
        promised(
          restMs === undefined || (restMs >= 0 && restMs <= 1000),
          'what may still come is awaited for a second at most',
        );
        const ends = [reading.end(), turn.answerOf(events[0] ?? null)];
        for (const end of ends) if (end.kind === 'answered') JSON.stringify(turn.memoryAfter(end));
        return [
          text === '' ? 'silent' : 'text',
          ...ends.map((end) => (end.kind === 'failed' ? end.message : end.kind)),
        ];
      });
      return { kind: 'value', code: codes.join(', ').replaceAll(/\(\S+\)/g, '()') };
    });
  },
};

/** Events of Dify, one a line. */
export const dify: Target = {
  name: 'dify-frames',
  shape: 'json',
  words: [
    '"event":"message"',
    '"event":"message_end"',
    '"event":"workflow_finished"',
    '"event":"error"',
    '"event":"node_finished"',
    '\n',
  ],
  seeds: () => [
    '{"event":"message","answer":"hi"}\n{"event":"message_replace","answer":"x"}\n{"event":"message_end","metadata":{"usage":{"prompt_tokens":1,"completion_tokens":2}}}',
    '{"event":"text_chunk","data":{"text":"a"}}\n{"event":"node_finished","data":{"outputs":{"usage":{"prompt_tokens":1,"completion_tokens":2}}}}\n{"event":"workflow_finished","data":{"status":"succeeded","outputs":{"a":1},"total_tokens":3}}',
    '{"event":"error","code":"x","message":"[a] Rate Limit Error","status":429}\n{"event":"workflow_paused"}',
  ],
  open: () =>
    perLine((events) => {
      const steps = [true, false].flatMap((isWorkflow) => {
        const reader = new AnswerReader(isWorkflow, false);
        return events.filter(isObject).map((event) => reader.read(event)?.kind ?? 'nothing');
      });
      return { kind: 'value', code: [...new Set(steps)].toSorted().join(' '), size: steps.length };
    }),
};

/** States and streams of LangGraph: a state, an empty line, or events. */
export const langGraph: Target = {
  name: 'langgraph-frames',
  shape: 'bytes',
  words: [
    ...sseWords,
    '"messages":[',
    '"type":"ai"',
    '"type":"AIMessageChunk"',
    '"content":"hi"',
    '"__interrupt__":[{"id":"1","value":2}]',
  ],
  seeds: () => [
    '{"messages":[{"type":"human","content":"a"},{"type":"ai","content":[{"type":"text","text":"b"}],"usage_metadata":{"input_tokens":1,"output_tokens":2}}]}',
    'event: messages\ndata: [{"type":"AIMessageChunk","id":"1","content":"hi"},{}]\n\nevent: values\ndata: {"__interrupt__":[{"id":"1","value":2},{}]}\n\nevent: end\n\n',
    'event: error\ndata: {"error":"ValueError"}\n\n',
  ],
  open: () => ({
    async run(input) {
      return faultOr(async () => {
        const answers = [];
        if (input[0] === 0x7b) answers.push(await readState(responseOf({}, [input])));
        const stream = readStream(responseOf({ 'content-type': 'text/event-stream' }, [input]));
        let size = 0;
        for (;;) {
          const { value, done } = await stream.next();
          if (done) {
            answers.push(value);
            break;
          }
          size += 1;
        }
        const codes = answers.map(({ state = null, failure }) => {
          const asked = questionIn(state);
          JSON.stringify([asked, lastAnswer(state), usageOf(state)]);
          return failure?.message ?? `${asked === undefined ? 'end' : 'question'} ${typeof lastAnswer(state)}`;
        });
        return { kind: 'value', code: codes.join(', ').replaceAll(/\(\S+\)/g, '()'), size };
      });
    },
  }),
};

/** Reads a JSON value of an agent from each line, as a plugin does before it looks at any. */
export function perLine(read: (values: ReturnType<typeof parsed>[]) => Outcome): OpenTarget {
  return {
    run: (input) =>
      faultOrNow(() => {
        const lines = input.toString().split('\n', 50);
        return read(lines.filter((line) => line.trim() !== '').map(parsed));
      }),
  };
}

/** A fault of an agent is an outcome; any other error is not. */
export async function faultOr(read: () => Outcome | Promise<Outcome>): Promise<Outcome> {
  try {
    return await read();
  } catch (error) {
    return refused(error);
  }
}

function faultOrNow(read: () => Outcome): Outcome {
  try {
    return read();
  } catch (error) {
    return refused(error);
  }
}

function refused(error: unknown): Outcome {
  if (!(error instanceof AgentFault)) throw error;
  return { kind: 'refused', code: error.message.replaceAll(/-?\d+/g, 'N') };
}
