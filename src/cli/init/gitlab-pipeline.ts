import { missingPackage, packageVariable } from './package-variable.ts';

/**
 * The pipeline of a config repository on GitLab. A job's own token may not write notes, so that the plan is an artifact,
 * and a note as well if there is a token that may.
 */
export function gitlabPipeline(packageSpec: string | undefined): string {
  return `# Checks for each merge request whether the config is valid and the tests pass, and predicts what it will change.
variables:
  ${packageVariable(packageSpec)}

.pullcord:
  image: node:24
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
  before_script:
    - |
      [ -n "$PULLCORD" ] || { echo '${missingPackage}'; exit 1; }
      npm install --global "$PULLCORD"

validate:
  extends: .pullcord
  script:
    - pullcord validate

test:
  extends: .pullcord
  script:
    - pullcord test --format junit >junit.xml
  artifacts:
    when: always
    reports:
      junit: junit.xml

plan:
  extends: .pullcord
  script:
    - git fetch --depth=1 origin "$CI_MERGE_REQUEST_DIFF_BASE_SHA"
    - pullcord plan --base "$CI_MERGE_REQUEST_DIFF_BASE_SHA" --format markdown --out plan.md
    # The note of the token's owner, recognized by its first line.
    - |
      if [ -n "\${PULLCORD_GITLAB_TOKEN:-}" ]; then
        api() { curl --silent --show-error --fail-with-body --header "PRIVATE-TOKEN: $PULLCORD_GITLAB_TOKEN" "$@"; }
        notes="projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes"
        api "$CI_API_V4_URL/user" >user.json
        api "$CI_API_V4_URL/$notes?sort=asc&per_page=100" >notes.json
        id=$(node --eval '
          const json = (file) => JSON.parse(fs.readFileSync(file, "utf8"));
          const [marker] = fs.readFileSync("plan.md", "utf8").split("\\n");
          const own = ({ author, body }) => author.id === json("user.json").id && body.split("\\n", 1)[0] === marker;
          console.log(json("notes.json").find(own)?.id ?? "");
        ')
        if [ -n "$id" ]; then
          api --request PUT --data-urlencode body@plan.md "$CI_API_V4_URL/$notes/$id" >answer.json
        else
          api --request POST --data-urlencode body@plan.md "$CI_API_V4_URL/$notes" >answer.json
        fi
      fi
  artifacts:
    when: always
    paths: [plan.md]
    expose_as: Pullcord plan
`;
}
