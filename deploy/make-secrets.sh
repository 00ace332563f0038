#!/bin/sh
# Makes the secrets that docker-compose.yml mounts, where they are missing: deploy/make-secrets.sh [DIR]
# The folder keeps others on this machine out. The files themselves are readable, because a container sees each with
# the mode it has here, and reads it as a user of its own.
set -eu
folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
chmod 0700 "$folder"
for name in master_key postgres_password batch_secret reports_api_secret operator_secret; do
  if [ -s "$folder/$name" ]; then continue; fi
  head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n' >"$folder/$name"
  chmod 0444 "$folder/$name"
done
