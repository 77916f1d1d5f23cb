#!/bin/sh
# Makes Temporal's tables or brings them up to the version of this image. Where that is done already, it changes nothing.
set -eu

for each in temporal:temporal temporal_visibility:visibility; do
    export SQL_DATABASE="${each%%:*}"
    # Fails harmlessly where the version table is there already; what matters is the update after it.
    temporal-sql-tool setup-schema --version 0.0 || echo "$SQL_DATABASE has a schema"
    temporal-sql-tool update-schema --schema-name "postgresql/v12/${each##*:}"
done
