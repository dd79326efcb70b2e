// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the aws-sns auth plugin: Amazon signs each message with a certificate, which is fetched from Amazon alone.
 */
export interface Options {
  /**
   * The topics whose messages are accepted. Amazon signs those of every account with the same keys, so that the topic is what identifies the sender.
   *
   * @minItems 1
   */
  topics: [string, ...string[]];
  /**
   * Whether the confirmation that Amazon asks for when one of the topics is subscribed to is given.
   */
  confirm: boolean;
  /**
   * How far the time of a message may be from now, in either direction, which limits replay attacks. Amazon retries a message for up to an hour. In milliseconds.
   */
  tolerance: number;
}
