/** Files that cannot be read. */
const fileCodes = {
  unreadable_folder: 'A folder cannot be read.',
  unreadable_file: 'A file cannot be read.',
  folder_too_deep: 'The folders are nested too deep.',
  too_many_files: 'There are more config files than a gateway reads.',
  file_too_large: 'A file is larger than a gateway reads.',
  config_too_large: 'The files together are larger than a gateway reads.',
} as const;

/** Files that are no YAML, or more of it than config needs. */
const yamlCodes = {
  invalid_utf8: 'The file is not UTF-8.',
  bad_character: 'There is a control character, which can hide what a file says.',
  yaml_syntax: 'The file is not valid YAML.',
  yaml_too_long: 'There is too much YAML in one file.',
  yaml_too_deep: 'The YAML is nested too deep.',
  multiple_documents: 'There is more than one document in a file.',
  unsupported_yaml:
    'The file uses what config does without: anchors, aliases, tags, directives, merge keys, explicit keys.',
  empty_file: 'The file declares nothing.',
  duplicate_field: 'A field is there twice.',
  bad_number: 'A number cannot be kept exactly.',
} as const;

/** Documents and options that are not as their schema says. */
const schemaCodes = {
  missing_kind: 'The file does not say what it declares.',
  unknown_kind: 'There is no such kind of config file.',
  unsupported_version: 'The file is of a version of the config format that this gateway does not read.',
  unknown_field: 'There is no such field here.',
  missing_field: 'A field that is required is not there.',
  wrong_type: 'A value is of another type than its field takes.',
  not_allowed_value: 'A value is none of those that are allowed.',
  bad_format: 'A value does not have the right form.',
  out_of_range: 'A value is too small, too large, too short or too long.',
  duplicate_item: 'A list has an item twice.',
  misplaced_field: 'A field belongs into another kind of file.',
  bad_secret: 'A reference to a secret, or the secret itself, does not have the right form.',
  literal_secret: 'A secret is written out where the reference to it belongs.',
} as const;

/** Documents that do not go together. */
const linkCodes = {
  missing_gateway: 'No file declares the Gateway.',
  duplicate_gateway: 'More than one file declares a Gateway.',
  duplicate_project: 'Two projects have the same id.',
  duplicate_key_id: 'Two API keys have the same id.',
  duplicate_secret: 'The same secret stands for two callers.',
  duplicate_trigger_key: 'Two triggers have the same key.',
  duplicate_trigger_name: 'Two triggers of a project have the same name.',
  duplicate_filter_name: 'Two filters of a trigger have the same name.',
  unreachable_auth: 'An auth plugin stands after `none`, which lets everyone in.',
  unknown_project: 'There is no such project.',
  unknown_trigger: 'There is no such trigger.',
  unknown_filter: 'The trigger has no such filter.',
  unknown_key: 'There is no such API key.',
  empty_permissions: 'An API key may do nothing.',
  empty_projects: 'An API key may use no project.',
  mixed_projects: 'An API key may use every project, and names some.',
  missing_run: 'Neither the trigger nor its defaults say what to run.',
  admin_token_required: 'The admin listener can be reached from other machines and asks for no token.',
  port_conflict: 'Both listeners have the same port.',
  demo_key_exposed: 'The key whose secret everyone knows can be used from other machines.',
} as const;

/** Plugins, engines and secrets that cannot be used. */
const pluginCodes = {
  unknown_plugin: 'There is no such plugin of this stage.',
  unknown_engine: 'There is no such engine.',
  bad_plugin: 'A plugin cannot be imported, or is none.',
  plugin_failed: 'A plugin failed to start.',
  engine_failed: 'The engine failed to start.',
  bad_option: 'A plugin refuses one of its options.',
  option_warning: 'A plugin warns of one of its options.',
  option_note: 'What a plugin has to say of one of its options.',
  missing_secret: 'A secret is not where the config says it is.',
} as const;

/** Valid configs that a gateway does not begin to serve. */
const servingCodes = {
  cannot_listen: 'A listener cannot have its address or port.',
  triggers_vanished: 'All triggers are gone at once.',
  keys_vanished: 'All API keys are gone at once.',
  engine_changed: 'The engine cannot be changed while the gateway runs.',
} as const;

const testCodes = {
  test_failed: 'A request did not become what its test expects.',
  uncovered_condition: 'No test shows a condition of a filter to be both true and false.',
  low_coverage: 'The filters of a trigger are covered less than was asked for.',
} as const;

/** What a plan tells of a change; what opens something that was closed is a warning. */
const planCodes = {
  key_added: 'There is a new API key.',
  key_reactivated: 'An API key that was revoked is active again.',
  all_projects: 'An API key may use every project.',
  project_granted: 'An API key may use another project.',
  permission_granted: 'An API key is granted another permission.',
  expiry_removed: 'A secret never expires any more.',
  expiry_extended: 'A secret expires later.',
  auth_none: 'A trigger lets everyone in.',
  auth_changed: 'A trigger knows its callers in another way.',
  dedup_off: 'A trigger takes the same request again.',
  filters_gone: 'A trigger takes every request.',
  filter_removed: 'A trigger has lost one of its filters.',
  trigger_activated: 'A trigger that was paused takes requests again.',
  mask_removed: 'A trigger stores what was masked before.',
  listener_exposed: 'The public listener can be reached from other machines.',
  admin_exposed: 'The admin listener can be reached from other machines.',
  admin_token_removed: 'The admin listener asks for no token any more.',
  proxies_trusted: 'X-Forwarded-For is believed, whoever sends it.',
  outbound_widened: 'More targets that are not public may be called.',
  requests_lost: 'Requests that were accepted would not be any more.',
  requests_change: 'Requests would come out in another way.',
  changed: 'Something is declared in another way.',
  witness: 'A request that tells a changed filter from what it was.',
} as const;

/** The codes of all problems by where they come from, for the reference. */
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

/** Every code of a problem, and what it means. Tools match on codes: they are never renamed and keep their meaning. */
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
