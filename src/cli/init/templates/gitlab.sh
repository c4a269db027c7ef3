# --- GitLab: its API by curl. The job's own token may not write notes: BRICKFORM_GITLAB_TOKEN is a masked variable with a
# project access token (role Reporter, scope `api`). Without it the plan is in the job's artefacts, and nothing is written.

on_path() { export PATH="$1:$PATH"; }

summary() { :; }

# One request; the token goes in by a pipe, so that no list of processes shows it.
gitlab() {
    local method=$1 path=$2
    shift 2
    printf 'header = "PRIVATE-TOKEN: %s"\n' "$BRICKFORM_GITLAB_TOKEN" |
        curl -fsS --config - -X "$method" "$CI_API_V4_URL/projects/$CI_PROJECT_ID/$path" "$@"
}

may_write() {
    [ -n "${BRICKFORM_GITLAB_TOKEN:-}" ] && return
    say "BRICKFORM_GITLAB_TOKEN is not set: nothing is written to GitLab; the reports are in the artefacts"
    return 1
}

# The pages of a list, one after the other.
pages() {
    local path=$1 page=1 got
    while :; do
        got=$(gitlab GET "$path&per_page=100&page=$page")
        [ "$(jq length <<<"$got")" -gt 0 ] || return 0
        printf '%s\n' "$got"
        page=$((page + 1))
    done
}

comment() {
    local env=$1 file=$2 mark id notes=merge_requests/$CI_MERGE_REQUEST_IID/notes
    [ -s "$file" ] || fail "$file is not there: the plan did not get as far as that"
    may_write || return 0
    mark=$(head -n 1 "$file")
    id=$(pages "$notes?sort=asc" | jq -r --arg mark "$mark" '.[] | select(.body | startswith($mark)) | .id' | head -n 1)
    if [ -n "$id" ]; then
        gitlab PUT "$notes/$id" --data-urlencode "body@$file" >/dev/null
    else
        gitlab POST "$notes" --data-urlencode "body@$file" >/dev/null
    fi
    say "$env: the note is written"
}

issue_of() {
    pages "issues?state=opened&in=title&search=Drift%20in" | jq -r --arg title "Drift in $1" '.[] | select(.title == $title) | .iid' | head -n 1
}

report_drift() {
    local env=$1 file=$2 number
    may_write || return 0
    number=$(issue_of "$env")
    if [ -n "$number" ]; then
        gitlab PUT "issues/$number" --data-urlencode "description@$file" >/dev/null
        gitlab POST "issues/$number/notes" --data-urlencode "body=There is new drift: see above." >/dev/null
    else
        gitlab POST issues --data-urlencode "title=Drift in $env" --data-urlencode "description@$file" >/dev/null
    fi
}

drift_is_gone() {
    local number
    may_write || return 0
    number=$(issue_of "$1")
    [ -z "$number" ] || gitlab PUT "issues/$number" --data-urlencode "state_event=close" >/dev/null
}

