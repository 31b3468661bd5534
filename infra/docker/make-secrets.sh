#!/bin/sh
# Writes the secrets of docker-compose.yml, once: what is there already stays as it is.
#   sh infra/docker/make-secrets.sh [folder]
# The folder admits its owner alone. The files in it are readable, since Compose mounts them as they are and nobody in a
# container has the owner's user id.
set -eu
folder=${1:-secrets}
mkdir -p -m 700 "$folder"
text() { od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n'; }
bytes() { head -c 32 /dev/urandom; }
make() {
  [ -s "$folder/$1" ] || { "$2" >"$folder/$1.new" && chmod 444 "$folder/$1.new" && mv "$folder/$1.new" "$folder/$1"; }
}
make postgres-password text # the owner of the database, for `gatehouse migrate`
make role-password text     # the role of each service
make service-token text     # what services show each other
make metrics-token text     # what Prometheus shows at /metrics
make sealing-key bytes      # seals the arguments of calls in the trail; lose it, and they stay sealed
