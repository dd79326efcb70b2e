/** A sender of webhooks for which init writes a trigger. */
export interface Sender {
  /** As `--template` and the trigger's key name it. */
  readonly name: string;
  /** The sender's own name. */
  readonly title: string;
  /** The environment variable with the sender's secret; undefined for a sender that has an API key. */
  readonly secretVariable: string | undefined;
  /** Where its webhook is set up, and what to enter there; the URL of the trigger is known to the reader. */
  readonly setUp: string;
  /** What `pullcord send` tries it with, after the name of the trigger. */
  readonly tryWith: string;
  /** The trigger, from `key:` on. */
  readonly trigger: string;
}
