import type { MessageChannel, ObservedGateway } from '../contract/index.ts';

/** What is subscribed for one gateway of the process, until it is closed. */
export class Subscriptions {
  readonly #gateway: ObservedGateway;
  readonly #ends: (() => void)[] = [];

  constructor(gateway: ObservedGateway) {
    this.#gateway = gateway;
  }

  /** Calls `subscriber` with the messages of this gateway. */
  add<Message extends { readonly gateway: ObservedGateway }>(
    channel: MessageChannel<Message>,
    subscriber: (message: Message) => void,
  ): void {
    const own = (message: Message): void => {
      if (message.gateway === this.#gateway) subscriber(message);
    };
    channel.subscribe(own);
    this.#ends.push(() => channel.unsubscribe(own));
  }

  close(): void {
    for (const end of this.#ends.splice(0)) end();
  }
}
