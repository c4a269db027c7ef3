#!/usr/bin/env bash
# What the pipelines do, in words of the shell: `ci/brickform.sh plan prod` does the same on a laptop as in the pipeline.
# Written by `brickform init --ci @PROVIDER@`; it is yours now: edit it as you like, `init` never writes over it.
#
# Needs git, curl and jq. No command prints a credential; plans, pages and reports hold no secret.
set -euo pipefail

# Where reports go; the pipelines keep this folder as an artefact.
out=${BRICKFORM_REPORTS:-brickform-reports}
# How long to wait for somebody else's apply.
lock_timeout=${BRICKFORM_LOCK_TIMEOUT:-10m}

say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }

# Puts the program on the path, unless the image has it: BRICKFORM_URL is an address that you trust (a release, or a copy in
# your own store), BRICKFORM_SHA256 the digest of what is there.
install() {
    if command -v brickform >/dev/null; then
        brickform version
        return
    fi
    [ -n "${BRICKFORM_URL:-}" ] || fail "brickform is not on the path, and BRICKFORM_URL does not say where to get it"
    [ -n "${BRICKFORM_SHA256:-}" ] || fail "BRICKFORM_SHA256 is not set: what is downloaded must be what was checked"
    local folder=$HOME/.local/bin
    mkdir -p "$folder"
    curl -fsSL --retry 3 -o "$folder/brickform.new" "$BRICKFORM_URL"
    if ! printf '%s  %s\n' "$BRICKFORM_SHA256" "$folder/brickform.new" | sha256sum --check --quiet; then
        rm -f "$folder/brickform.new"
        fail "what BRICKFORM_URL gives has another digest than BRICKFORM_SHA256: nothing was installed"
    fi
    chmod +x "$folder/brickform.new"
    mv "$folder/brickform.new" "$folder/brickform"
    on_path "$folder"
    "$folder/brickform" version
}

# Without credentials, so also for forks: every mistake of every file, and what the change means in every environment.
check() {
    local base=${1:-}
    mkdir -p "$out"
    brickform validate --report "sarif=$out/validate.sarif" --report "junit=$out/validate.junit.xml"
    if [ -n "$base" ]; then
        brickform diff "$base..HEAD" --env '*' -o markdown >"$out/diff.md"
        summary "$out/diff.md"
    fi
}

# Plans an environment: the plan in a file, a page, a comment, findings for code scanning and test results. Where it cannot be
# planned, the comment and the findings say why. With a second word the changes are marked: whose they are.
plan() {
    local env=$1 base=${2:-} code=0
    local -a more=()
    [ -z "$base" ] || more=(--base "$base")
    [ -z "$base" ] || [ -n "${BRICKFORM_ALLOWED_HOSTS:-}" ] ||
        say "note: BRICKFORM_ALLOWED_HOSTS is not set: whatever host the files under review name is sent the credentials of this job"
    mkdir -p "$out"
    brickform plan --env "$env" ${more[@]+"${more[@]}"} --out "$out/$env.plan.json" \
        --report "markdown=$out/$env.md" --report "html=$out/$env.html" \
        --report "sarif=$out/$env.sarif" --report "junit=$out/$env.junit.xml" || code=$?
    [ ! -s "$out/$env.md" ] || summary "$out/$env.md"
    return "$code"
}

# Applies the plan in the file that `plan` wrote; what moved since then is told, and nothing is sent (exit code 7).
apply() {
    local env=$1 code=0
    mkdir -p "$out"
    brickform apply "$out/$env.plan.json" --yes --lock-timeout "$lock_timeout" \
        --report "markdown=$out/$env.applied.md" --report "junit=$out/$env.junit.xml" || code=$?
    [ ! -s "$out/$env.applied.md" ] || summary "$out/$env.applied.md"
    return "$code"
}

# What changed behind its back. Tells only what it did not tell last time (the file $out/ENV.drift.known is kept from run to
# run); says so when all of it is gone.
drift() {
    local env=$1 code=0
    mkdir -p "$out"
    local now=$out/$env.drift.now known=$out/$env.drift.known
    brickform drift --env "$env" --detailed-exitcode --report "json=$out/$env.drift.json" --report "markdown=$out/$env.drift.md" || code=$?
    case $code in 0 | 2) ;; *) return "$code" ;; esac
    jq -r '.steps[] | .address as $address
        | if .because == "deleted in the workspace" then [$address, "deleted"]
          else .changes[] | select(.reason == "drift" or .reason == "conflict") | [$address, .path, (.old | tojson)] end
        | @tsv' "$out/$env.drift.json" | LC_ALL=C sort -u >"$now"
    touch "$known"
    LC_ALL=C comm -13 <(LC_ALL=C sort -u "$known") "$now" >"$out/$env.drift.new"
    if [ ! -s "$now" ]; then
        [ ! -s "$known" ] || drift_is_gone "$env"
        say "$env: no drift"
    elif [ -s "$out/$env.drift.new" ]; then
        {
            printf 'New since the last report:\n\n'
            # shellcheck disable=SC2016 # marks of Markdown, not of the shell
            cut -f1,2 "$out/$env.drift.new" | tr '\t' ' ' | tr -d '`' | head -n 50 | sed 's/.*/- `&`/'
            printf '\n'
            cat "$out/$env.drift.md"
        } >"$out/$env.drift.body.md"
        report_drift "$env" "$out/$env.drift.body.md"
        say "$env: $(wc -l <"$out/$env.drift.new") drifted anew"
    else
        say "$env: nothing new since the last report"
    fi
    mv "$now" "$known"
}

# Back to what an earlier commit or serial said: shows what cannot come back, applies, and holds the environment there until
# a commit that knows of it is applied.
rollback() {
    local env=$1 to=$2 code=0
    case $to in '' | -*) fail "give a commit or a serial" ;; esac
    mkdir -p "$out"
    brickform rollback --env "$env" --to "$to" --yes --lock-timeout "$lock_timeout" \
        --report "markdown=$out/$env.rollback.md" --report "html=$out/$env.rollback.html" || code=$?
    [ ! -s "$out/$env.rollback.md" ] || summary "$out/$env.rollback.md"
    return "$code"
}

