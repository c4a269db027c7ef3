# --- GitHub: `gh` with the token of the run (GH_TOKEN)

on_path() { echo "$1" >>"${GITHUB_PATH:-/dev/null}"; }

summary() { head -c 1000000 "$1" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"; }

# The one comment of an environment: found by the mark in its first line, written anew or for the first time.
comment() {
    local env=$1 file=$2 mark id
    [ -s "$file" ] || fail "$file is not there: the plan did not get as far as that"
    mark=$(head -n 1 "$file")
    id=$(MARK=$mark gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments" \
        --jq '.[] | select(.body | startswith(env.MARK)) | .id' | head -n 1)
    if [ -n "$id" ]; then
        gh api --silent -X PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" -F "body=@$file"
    else
        gh api --silent -X POST "repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments" -F "body=@$file"
    fi
    say "$env: the comment is written"
}

issue_of() {
    TITLE="Drift in $1" gh api --paginate "repos/$GITHUB_REPOSITORY/issues?state=open" \
        --jq '.[] | select(.pull_request == null and .title == env.TITLE) | .number' | head -n 1
}

# The one issue of an environment: its text is the drift as it is now, a comment tells what is new.
report_drift() {
    local env=$1 file=$2 number
    number=$(issue_of "$env")
    if [ -n "$number" ]; then
        gh api --silent -X PATCH "repos/$GITHUB_REPOSITORY/issues/$number" -F "body=@$file"
        gh api --silent -X POST "repos/$GITHUB_REPOSITORY/issues/$number/comments" -f "body=There is new drift: see above."
    else
        gh api --silent -X POST "repos/$GITHUB_REPOSITORY/issues" -f "title=Drift in $env" -F "body=@$file"
    fi
}

drift_is_gone() {
    local number
    number=$(issue_of "$1")
    [ -z "$number" ] || gh api --silent -X PATCH "repos/$GITHUB_REPOSITORY/issues/$number" -f state=closed
}

