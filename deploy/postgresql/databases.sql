-- Runs once, on an empty volume, as the superuser. Passwords come from the environment, and psql quotes them.
\getenv temporal_password TEMPORAL_DB_PASSWORD
\getenv gameday_password GAMEDAY_DB_PASSWORD

create role temporal login password :'temporal_password';
create database temporal owner temporal template template0 encoding 'UTF8';
create database temporal_visibility owner temporal template template0 encoding 'UTF8';

create role gameday login password :'gameday_password';
create database gameday owner gameday template template0 encoding 'UTF8';

revoke connect on database temporal, temporal_visibility, gameday from public;
