import type { Sender } from './sender.ts';

/** https://www.twilio.com/docs/messaging/guides/webhook-request */
export const twilio: Sender = {
  name: 'twilio',
  title: 'Twilio',
  secretVariable: 'TWILIO_AUTH_TOKEN',
  setUp:
    'In the settings of a phone number, under *Messaging*, enter this URL for incoming messages, as a webhook with HTTP ' +
    'POST. Twilio signs with the *Auth Token* of the account. If the gateway is behind a proxy, add `publicUrl` to the ' +
    "trigger's auth: the URL up to where `/api/` begins.",
  tryWith: `-H 'content-type: application/x-www-form-urlencoded' -d 'MessageSid=SM1&From=%2B15017250604&To=%2B15558675310&Body=Where+is+my+order%3F'`,
  trigger: `key: twilio
name: Twilio messages
auth: { uses: signature, with: { scheme: twilio, secrets: [{ env: TWILIO_AUTH_TOKEN }] } }
filter:
  - name: a message has a text
    uses: jsonata
    with: { expression: '$exists(MessageSid) and $trim(Body) != ""' }
dedup: { uses: expression, with: { key: MessageSid, window: 7d } }
# Without a body, Twilio sends no reply.
respond:
  uses: accepted
  with: { accepted: { status: 204 }, dropped: { status: 204 }, duplicate: { status: 204 } }
tests:
  - name: somebody writes
    form:
      ToCountry: US
      MessageSid: SM2b2cd24a4ac0d6ba1ca1a0ccb4b3d5d1
      AccountSid: ACXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX
      From: "+15017250604"
      To: "+15558675310"
      Body: Where is my order?
      NumMedia: "0"
    expect: { verdict: accepted, status: 204 }
  - name: the message that is sent again is a duplicate
    form: { MessageSid: SM1, From: "+15017250604", Body: Hello }
    expect: { verdict: duplicate, status: 204 }
  - name: a picture without a text
    form: { MessageSid: MM1, From: "+15017250604", Body: "", NumMedia: "1" }
    expect: { verdict: dropped, by: a message has a text, status: 204 }
  - name: a call
    form: { CallSid: CA1, From: "+15017250604", CallStatus: ringing }
    expect: { verdict: dropped, by: a message has a text }
`,
};
