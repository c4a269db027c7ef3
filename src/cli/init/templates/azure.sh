# --- Azure DevOps: its API by curl with the token of the run (SYSTEM_ACCESSTOKEN); the build service needs "Contribute to
# pull requests" on the repository.

on_path() { echo "##vso[task.prependpath]$1"; }

# Shown on the page of the run.
summary() { echo "##vso[task.uploadsummary]$(cd "$(dirname "$1")" && pwd)/$(basename "$1")"; }

# One request; the token goes in by a pipe, so that no list of processes shows it.
azure() {
    local method=$1 path=$2
    shift 2
    printf 'header = "Authorization: Bearer %s"\n' "$SYSTEM_ACCESSTOKEN" |
        curl -fsS --config - -X "$method" -H 'Content-Type: application/json' "$SYSTEM_COLLECTIONURI$SYSTEM_TEAMPROJECTID/_apis/$path" "$@"
}

# A comment may hold 150,000 characters; the plan's comment has at most 65,535.
comment() {
    local env=$1 file=$2 mark found threads=git/repositories/$BUILD_REPOSITORY_ID/pullRequests/$SYSTEM_PULLREQUEST_PULLREQUESTID/threads
    [ -s "$file" ] || fail "$file is not there: the plan did not get as far as that"
    mark=$(head -n 1 "$file")
    found=$(azure GET "$threads?api-version=7.1" | jq -r --arg mark "$mark" \
        '[.value[] | .id as $thread | .comments[]? | select((.content // "") | startswith($mark)) | "\($thread)/comments/\(.id)"][0] // empty')
    # The body goes in by a file: the token takes the pipe.
    local body=$out/$env.comment.json
    if [ -n "$found" ]; then
        jq -n --rawfile text "$file" '{content: $text}' >"$body"
        azure PATCH "$threads/$found?api-version=7.1" --data-binary "@$body" >/dev/null
    else
        jq -n --rawfile text "$file" '{comments: [{parentCommentId: 0, content: $text, commentType: 1}], status: "closed"}' >"$body"
        azure POST "$threads?api-version=7.1" --data-binary "@$body" >/dev/null
    fi
    say "$env: the comment is written"
}

# The run that finds new drift fails: whoever subscribed to failed runs is told, once.
report_drift() {
    summary "$2"
    echo "##vso[task.logissue type=error]new drift in $1: see the summary of this run"
    echo "##vso[task.complete result=Failed;]new drift in $1"
}

drift_is_gone() { say "$1: what had drifted is as the configuration says again"; }

