/** All that a chat says by itself. */
export interface Strings {
  readonly title: string;
  readonly log: string;
  readonly you: string;
  readonly agent: string;
  readonly question: string;
  readonly message: string;
  readonly placeholder: string;
  readonly answerPlaceholder: string;
  readonly send: string;
  readonly stop: string;
  readonly retry: string;
  readonly reset: string;
  readonly writing: string;
  readonly stopped: string;
  readonly failed: string;
  readonly unreachable: string;
}

export const english: Strings = {
  title: 'Chat',
  log: 'Messages',
  you: 'You',
  agent: 'Agent',
  question: 'Agent, with a question',
  message: 'Message',
  placeholder: 'Write a message',
  answerPlaceholder: 'Write your answer',
  send: 'Send',
  stop: 'Stop',
  retry: 'Try again',
  reset: 'New chat',
  writing: 'The agent is writing',
  stopped: 'Stopped.',
  failed: 'That did not work.',
  unreachable: 'The connection failed.',
};
