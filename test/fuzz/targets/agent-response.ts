import { AgentResponse } from '../../../src/run-kit/index.ts';

/** A response of an agent whose body arrives in these chunks. */
export function responseOf(headers: Readonly<Record<string, string>>, chunks: readonly Buffer[]): AgentResponse {
  const response = {
    ...{ status: 200, headers },
    body: {
      async *[Symbol.asyncIterator]() {
        yield* chunks;
      },
    },
    bytes: async () => Buffer.concat(chunks),
    discard: async () => {},
  };
  return new AgentResponse(response, () => {});
}
