/** Files that cannot be read. */
const fileCodes = {
  unreadable_folder: 'A folder cannot be read.',
  unreadable_file: 'A file cannot be read.',
  folder_too_deep: 'The folders are nested too deep.',
  too_many_files: 'There are more config files than a gateway reads.',
  too_many_entries: 'The config folder holds more files and folders, of any kind, than a gateway looks through.',
  link_outside: 'A link in the config folder leads to a folder outside it.',
  file_too_large: 'A file is larger than a gateway reads.',
  config_too_large: 'The files together are larger than a gateway reads.',
} as const;

/** Files that are not YAML, or use more of YAML than config needs. */
const yamlCodes = {
  invalid_utf8: 'The file is not UTF-8.',
  bad_character: 'The file has a control character, which can hide text from a reader.',
  yaml_syntax: 'The file is not valid YAML.',
  yaml_too_long: 'One file has too much YAML.',
  yaml_too_deep: 'The YAML is nested too deep.',
  multiple_documents: 'A file has more than one document.',
  unsupported_yaml:
    'The file uses YAML that config does not allow: anchors, aliases, tags, directives, merge keys, explicit keys.',
  empty_file: 'The file declares nothing.',
  duplicate_field: 'A field appears twice.',
  bad_number: 'A number cannot be represented exactly.',
} as const;

/** Documents and options that do not match their schema. */
const schemaCodes = {
  missing_kind: 'The file does not say what it declares.',
  unknown_kind: 'The kind of config file is unknown.',
  unsupported_version: 'This gateway does not support the version of the config format.',
  unknown_field: 'A field is unknown here.',
  missing_field: 'A required field is missing.',
  wrong_type: 'A value has the wrong type.',
  not_allowed_value: 'A value is not one of the allowed values.',
  bad_format: 'A value has the wrong format.',
  out_of_range: 'A value is too small, too large, too short or too long.',
  duplicate_item: 'An item appears twice in a list.',
  misplaced_field: 'A field belongs in another kind of file.',
  bad_secret: 'A reference to a secret, or the secret itself, has the wrong format.',
  literal_secret: 'A secret is written out in place of a reference to it.',
} as const;

/** Documents that contradict each other. */
const linkCodes = {
  missing_gateway: 'No file declares the Gateway.',
  duplicate_gateway: 'More than one file declares a Gateway.',
  duplicate_prices: 'More than one file declares Prices.',
  unreachable_price: 'A price is never used: an earlier pattern matches all of its models.',
  duplicate_project: 'Two projects have the same id.',
  duplicate_key_id: 'Two API keys have the same id.',
  duplicate_secret: 'Two callers, or two tokens of the admin listener, have the same secret.',
  duplicate_admin_token:
    'Two tokens of the admin listener have the same id, or one has an id that names something else.',
  duplicate_trigger_key: 'Two triggers have the same key.',
  duplicate_trigger_name: 'Two triggers of a project have the same name.',
  duplicate_filter_name: 'Two filters of a trigger have the same name.',
  unreachable_auth: 'An auth plugin is never asked, because one before it lets everyone in.',
  unknown_project: 'The project does not exist.',
  unknown_trigger: 'The trigger does not exist.',
  unknown_filter: 'The trigger has no filter of this name.',
  unknown_key: 'The API key does not exist.',
  empty_permissions: 'An API key has no permissions.',
  browser_key: 'A browser key lacks what makes it safe to publish, or has what does not.',
  tokens_not_configured: 'Tokens are to be issued, and no secret signs them.',
  bad_limit: 'The fields of a limit contradict each other.',
  bad_debounce: 'The times of a debounce contradict each other.',
  unused_respond: 'A `respond` answers no accepted request: `debounce` answers each 202 at once.',
  duplicate_limit: 'Two limits of a list count the same, or have the same name.',
  bad_alert: 'The fields of an alert, or of its test, contradict each other.',
  duplicate_alert: 'Two alerts, or two receivers of alerts, have the same name.',
  unknown_alert: 'The alert does not exist.',
  unknown_receiver: 'The receiver of alerts does not exist.',
  unknown_limit: 'The limit does not exist.',
  missing_prices: 'A limit counts cost, and nothing says what tokens cost.',
  unlimited_browser_key: 'Nothing limits how often a public key fires.',
  empty_projects: 'An API key has access to no project.',
  mixed_projects: 'An API key lists projects beside `*`, which means all of them.',
  missing_run: 'Neither the trigger nor its defaults declare `run`.',
  admin_token_required: 'The admin listener can be reached from other machines and requires no token.',
  port_conflict: 'Both listeners have the same port.',
  demo_key_exposed: 'A demo key, whose secret is public, can be used from other machines.',
} as const;

/** Plugins, engines and secrets that cannot be used. */
const pluginCodes = {
  unknown_plugin: 'The stage has no plugin of this name.',
  unknown_engine: 'The engine does not exist.',
  bad_plugin: 'A plugin cannot be imported, or its export is not a plugin.',
  plugin_failed: 'A plugin failed to start.',
  engine_failed: 'The engine failed to start.',
  engine_not_shared: 'Several processes are to serve, and the engine is for one.',
  engine_broken: 'What the engine has stored is damaged.',
  bad_option: 'A plugin rejects one of its options.',
  option_warning: 'A plugin warns about one of its options.',
  option_note: 'A plugin has a note on one of its options.',
  anonymous_sessions: 'Sessions are said to belong to callers, and all anonymous callers are one caller.',
  anonymous_duplicates: 'An anonymous caller can guess a header, and gets the output of the run of another one.',
  cors_any_origin: 'Every web page may read the answers of a trigger.',
  unmetered_runs: 'A limit of tokens or cost counts nothing for a trigger, whose agent reports no tokens.',
  visitors_without_pages: 'A trigger lets visitors of web pages in, and lists no origins of pages.',
  missing_secret: 'A secret is missing: its environment variable is not set, or its file cannot be read.',
} as const;

/** Valid configs that a gateway does not start to serve. */
const servingCodes = {
  cannot_listen: 'A listener cannot bind its address or port.',
  triggers_vanished: 'All triggers are gone at once.',
  keys_vanished: 'All API keys are gone at once.',
  files_unsettled: 'The config files are still being written, or a git command that changes them has not ended.',
  reload_timed_out: 'A reload took longer than its deadline and was given up.',
  engine_changed: 'The engine cannot be changed while the gateway runs.',
} as const;

const testCodes = {
  test_failed: 'A request did not have the outcome that its test expects.',
  uncovered_condition: 'No test evaluates a condition of a filter as both true and false.',
  low_coverage: 'The coverage of the filters of a trigger is below the required minimum.',
} as const;

/** What a plan reports of a change. A change that opens something that was closed is a warning. */
const planCodes = {
  key_added: 'An API key is new.',
  key_reactivated: 'An API key that was revoked is active again.',
  all_projects: 'An API key gains access to every project.',
  project_granted: 'An API key gains access to another project.',
  key_published: 'An API key is made to be public.',
  triggers_granted: 'An API key may use further triggers.',
  origins_granted: 'An API key may be used from further origins.',
  permission_granted: 'An API key is granted another permission.',
  secret_added: 'An API key accepts another secret.',
  expiry_removed: 'A secret no longer expires.',
  expiry_extended: 'A secret expires later.',
  auth_none: 'A trigger lets everyone in.',
  auth_visitors: 'A trigger lets in visitors without a sign-in.',
  auth_changed: 'A trigger identifies its callers in another way.',
  dedup_off: 'A trigger accepts duplicates: its dedup was removed.',
  dedup_changed: 'A trigger recognizes duplicates in another way.',
  filters_gone: 'A trigger accepts every request: its filters were removed.',
  filter_removed: 'A trigger no longer has one of its filters.',
  filter_always_passes: 'A filter lets every request pass.',
  filter_fails_open: 'A filter lets requests pass on which its evaluation fails.',
  filter_widened: 'A filter lets requests pass that it dropped before.',
  filter_unreviewed: 'A filter has changed whose plugin does not say what it lets pass.',
  plugin_changed: 'A plugin that is not built in has other code.',
  file_changed: 'A file that the config names by its path has other content: a key, a program, a schema.',
  trigger_activated: 'A trigger that was paused accepts requests again.',
  sessions_shared: "Callers of a trigger can continue each other's conversations.",
  cors_widened: 'Pages of further origins may read the answers of a trigger.',
  mask_removed: 'A trigger stores a value that was masked before.',
  record_widened: 'A trigger stores more of its runs.',
  recording_widened: 'More requests are recorded, or recorded requests are kept longer.',
  bindings_widened: 'A trigger stores more headers or claims with its runs.',
  listener_exposed: 'The public listener can be reached from other machines.',
  admin_exposed: 'The admin listener can be reached from other machines.',
  admin_token_removed: 'The admin listener no longer requires a token.',
  admin_token_changed: 'The admin listener accepts another token.',
  admin_token_added: 'The admin listener has a new token.',
  admin_role_raised: 'A token of the admin listener may do more.',
  admin_expiry_extended: 'A token of the admin listener expires later, or no longer.',
  admin_hosts_added: 'The admin listener answers under further names.',
  proxies_added: 'The public listener trusts X-Forwarded-For from more peers.',
  proxies_trusted: 'The public listener trusts X-Forwarded-For from any peer.',
  outbound_widened: 'The gateway may call more targets that are not public.',
  requests_lost: 'Requests that were accepted would no longer be.',
  requests_change: 'Requests would have a different outcome.',
  changed: 'A declaration has changed.',
  witness: 'A counterexample: a request on which the two versions of a changed filter disagree.',
} as const;

/** The codes of all problems, grouped by source, for the reference. */
export const diagnosticGroups = {
  'Reading the files': fileCodes,
  YAML: yamlCodes,
  'Documents and options': schemaCodes,
  'Documents together': linkCodes,
  'Plugins, engines and secrets': pluginCodes,
  Serving: servingCodes,
  'Tests: `pullcord test`': testCodes,
  'Changes: `pullcord plan`': planCodes,
} as const;

/** Every problem code and its meaning. Tools match on codes: a code is never renamed and keeps its meaning. */
export const diagnosticCodes = {
  ...fileCodes,
  ...yamlCodes,
  ...schemaCodes,
  ...linkCodes,
  ...pluginCodes,
  ...servingCodes,
  ...testCodes,
  ...planCodes,
} as const;

export type DiagnosticCode = keyof typeof diagnosticCodes;
