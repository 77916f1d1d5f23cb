#!/bin/sh
# Writes .env beside docker-compose.yml: three random passwords, for you alone to read. An .env that is there is left as it is.
set -eu

cd "$(dirname "$0")/.."
if [ -e .env ]; then
    echo ".env is there already; remove it first if the databases are to be made anew" >&2
    exit 1
fi
password() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
umask 077
{
    echo "# Made by deploy/new-env.sh. The databases keep the passwords that they were made with. Never commit this file."
    for name in POSTGRES_PASSWORD TEMPORAL_DB_PASSWORD GAMEDAY_DB_PASSWORD; do
        echo "$name=$(password)"
    done
} > .env
