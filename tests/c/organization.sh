# shellcheck shell=bash
# Sourced by the scripts that run programs against the server of tests/run.sh.

# organization SETTINGS: a fresh one, into the variables that the programs read.
organization() {
  local made
  made=$(curl -sS -X POST -H 'Content-Type: application/json' -d "$1" "$TPS_TEST_SERVER/_test/organizations/")
  read -r TPS_USERNAME TPS_PASSWORD TPS_ORGANIZATION_ID < <(python3 -c '
import json, sys
made = json.loads(sys.argv[1])
print(made["username"], made["password"], made["organization_id"])' "$made")
  export TPS_USERNAME TPS_PASSWORD TPS_ORGANIZATION_ID TPS_BASE_URL=$TPS_TEST_SERVER
}
logins() {
  curl -sS "$TPS_TEST_SERVER/_test/organizations/$TPS_ORGANIZATION_ID/" | grep -q "\"logins\":$1,"
}
