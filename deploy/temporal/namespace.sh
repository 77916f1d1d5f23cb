#!/bin/sh
# Makes the namespace and the search attribute that gameday uses, unless they are there.
set -eu

# The command line also asks for records that only an outside name server answers. Where there is none it would wait for that in vain,
# so it gets a number.
name="${TEMPORAL_ADDRESS%:*}"
number="$(getent ahosts "$name" | awk '/STREAM/ { print $1; exit }')"
export TEMPORAL_ADDRESS="${number:-$name}:${TEMPORAL_ADDRESS##*:}"

left=30
until temporal operator cluster health; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || { echo "Temporal at $TEMPORAL_ADDRESS does not answer" >&2; exit 1; }
    sleep 2
done
# Histories are kept for a month; the record of a run is kept in gameday's own store, for good.
temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 720h
left=30
until temporal operator search-attribute list | grep -q GamedayPlaybook; do
    # A namespace takes a moment to be known everywhere.
    left=$((left - 1))
    [ "$left" -gt 0 ] || { echo "the search attribute could not be made" >&2; exit 1; }
    temporal operator search-attribute create --name GamedayPlaybook --type Keyword || sleep 1
done
