// Graphs for the LangGraph server of the tests. None needs a language model. They are functions, so that each run has a
// graph of its own: the server takes the checkpointer off the graph of a stateless run, also while others use it.
import { AIMessage, type BaseMessage, HumanMessage } from '@langchain/core/messages';
import type { RunnableConfig } from '@langchain/core/runnables';
import { FakeListChatModel } from '@langchain/core/utils/testing';
import { END, interrupt, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';

type State = typeof MessagesAnnotation.State;
type Answer = (state: State, config: RunnableConfig) => Promise<string> | string;

/** A graph of one node that answers with a message. */
function graphOf(answer: Answer) {
  return () =>
    new StateGraph(MessagesAnnotation)
      .addNode('answer', async (state, config) => ({ messages: [new AIMessage(await answer(state, config))] }))
      .addEdge(START, 'answer')
      .addEdge('answer', END)
      .compile();
}

/** What the user has said so far. */
function textsOf(messages: readonly BaseMessage[]): string[] {
  return messages.filter((message) => HumanMessage.isInstance(message)).map(({ text }) => text);
}

/** Says which turn it is, and repeats what was said, by a model that streams letter by letter. */
export const echo = () =>
  new StateGraph(MessagesAnnotation)
    .addNode('answer', async ({ messages }, config) => {
      const texts = textsOf(messages);
      const model = new FakeListChatModel({ responses: [`turn ${texts.length}: ${texts.join(', ')}`] });
      return { messages: [await model.invoke(messages, config)] };
    })
    .addEdge(START, 'answer')
    .addEdge('answer', END)
    .compile();

/** Fetches the URL that the user names; a run that is cancelled lets go of the request. */
export const fetching = () =>
  new StateGraph(MessagesAnnotation)
    .addNode('announce', () => ({ messages: [new AIMessage('One moment.')] }))
    .addNode('fetch', async ({ messages }, { signal }: RunnableConfig) => {
      const response = await fetch(textsOf(messages).at(-1) ?? '', { ...(signal && { signal }) });
      return { messages: [new AIMessage(`${await response.text()} (turn ${textsOf(messages).length})`)] };
    })
    .addEdge(START, 'announce')
    .addEdge('announce', 'fetch')
    .addEdge('fetch', END)
    .compile();

export const asking = graphOf(() => `refunded ${JSON.stringify(interrupt({ question: 'which order?' }))}`);

/** Asks two things at once. */
export const doubting = () =>
  new StateGraph(MessagesAnnotation)
    .addNode('first', () => ({ messages: [new AIMessage(`first ${JSON.stringify(interrupt('first?'))}`)] }))
    .addNode('second', () => ({ messages: [new AIMessage(`second ${JSON.stringify(interrupt('second?'))}`)] }))
    .addEdge(START, 'first')
    .addEdge(START, 'second')
    .addEdge('first', END)
    .addEdge('second', END)
    .compile();

export const broken = graphOf(() => {
  throw new RangeError('s3cret of the graph');
});

/** Shows what a run is configured with. */
export const showing = graphOf((_, { configurable, ...config }) => {
  const { context } = config as { context?: object };
  return JSON.stringify({ context, language: configurable?.language });
});
