/** What a secret looks like that is another one than the sender signs with. */
interface ForeignForm {
  readonly form: RegExp;
  readonly message: string;
  readonly hint: string;
}

const webhookSecret: ForeignForm = {
  form: /^v1,\s*whsec_/,
  message: 'the secret begins with v1,whsec_, which is a secret of Standard Webhooks',
  hint: 'Use scheme: standard-webhooks, or custom with key: whsec.',
};

/** Public and private keys, and keys of APIs: nobody signs webhooks with those. */
const others: readonly ForeignForm[] = [
  {
    form: /^whpk_/,
    message: 'this is a public key of Standard Webhooks, not a secret',
    hint: 'Write it below publicKeys.',
  },
  {
    form: /^whsk_|-----BEGIN /,
    message: 'this is a key of a key pair, not a shared secret',
    hint: 'Write the public key below publicKeys, and never give the private key away.',
  },
  {
    form: /^(?:(?:sk|rk|pk)_(?:live|test)_|gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|xapp-|lin_api_|shp(?:at|ca|pa)_)/,
    message: 'this is a key for the API of a service, not the secret that it signs webhooks with',
    hint: 'The secret is shown where the webhook is set up.',
  },
];

/** What is recognizably wrong with a secret, which would otherwise be taken as text and refuse every request. */
export function foreignSecret(secret: string, takesWebhookSecrets: boolean): Omit<ForeignForm, 'form'> | undefined {
  const forms = takesWebhookSecrets ? others : [webhookSecret, ...others];
  return forms.find(({ form }) => form.test(secret));
}
