#!/bin/sh
# countersign [serve] [all|login|token-issuer|introspection|audit] [OPTION…], or any other command of the countersign CLI.
set -eu

# PostgreSQL's own variable, from a secret that is mounted as a file.
if [ -n "${PGPASSWORD_FILE:-}" ]; then
  PGPASSWORD=$(cat "$PGPASSWORD_FILE")
  export PGPASSWORD
fi

if [ "${1:-}" = serve ]; then shift; fi
app=embedded
case "${1:-all}" in
  all | --config | --config=*) ;;
  login | token-issuer | introspection | audit) app=$1 ;;
  *) app=cli ;;
esac
case "${1:-}" in
  all | login | token-issuer | introspection | audit) shift ;;
esac
# exec: signals reach the service itself.
flags=
# Room for the garbage of thousands of requests a second; the single process stays small.
case $app in token-issuer | introspection | audit) flags=--max-semi-space-size=32 ;; esac
exec node $flags "$(dirname "$0")/$app/main.mjs" "$@"
